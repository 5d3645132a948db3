"""How many voice sessions are taken, and that each place is given back once."""

import pytest

from api.voice import admission
from api.voice.admission import Admission
from schemas.errors.providers import TooBusy
from schemas.settings import Settings


def limit(**given: object) -> int:
    return admission.limit(Settings(_env_file=None, **given), 4)  # type: ignore[call-arg]


def test_the_limit_is_set_or_follows_from_the_machine_and_what_runs_on_it() -> None:
    remote = {"transcriber": "custom", "transcriber_base_url": "http://x", "speaker": "elevenlabs"}
    assert limit(max_voice_sessions=7) == 7
    assert limit() == 4 * admission.PER_CORE_LOCAL
    assert limit(**remote, elevenlabs_api_key="k") == 4 * admission.PER_CORE
    assert limit(transcriber="local", speaker="elevenlabs", elevenlabs_api_key="k") == 4 * admission.PER_CORE_LOCAL


def test_a_place_is_given_back_once_however_often_that_is_said() -> None:
    doors = Admission(2, lambda: False)
    first, _ = doors.enter(), doors.enter()
    with pytest.raises(TooBusy) as refused:
        doors.enter()
    assert admission.RETRY_S[0] <= refused.value.retry_after_s <= admission.RETRY_S[1]
    first()
    first()
    assert doors.open() == 1
    doors.enter()
    with pytest.raises(TooBusy):
        doors.enter()
