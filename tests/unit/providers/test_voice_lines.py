"""Who listens and speaks by the settings, in which order, and what their languages are called."""

from pathlib import Path
from typing import Any

import pytest

from pipelines import providers
from pipelines.providers.languages import code_of
from pipelines.providers.openai_speech import parts
from schemas.errors.requests import NotOffered
from schemas.settings import Settings

KEYS = {"openai_api_key": "k", "groq_api_key": "k", "elevenlabs_api_key": "k"}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GROQ_API_KEY", "ELEVENLABS_API_KEY", "AURA_CUSTOM_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def made(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]


def speakers(**given: Any) -> list[str]:
    return [offer.name for offer in providers.lined("speaker", made(**given))]


def transcribers(**given: Any) -> list[str]:
    return [offer.name for offer in providers.lined("transcriber", made(**given))]


def test_sound_leaves_the_machine_only_where_somebody_is_named() -> None:
    assert transcribers(**KEYS) == ["local"]
    assert transcribers(transcriber="auto", **KEYS) == ["openai", "groq", "local"]


def test_each_that_is_named_stands_in_for_those_before_it() -> None:
    assert transcribers(transcriber="groq, openai", **KEYS) == ["groq", "openai", "local"]
    assert speakers(speaker="openai,elevenlabs", voice_fallback=False, **KEYS) == ["openai", "elevenlabs"]
    assert speakers(speaker="local,openai", **KEYS) == ["local", "openai"]


def test_auto_takes_all_that_are_set_up_and_what_runs_here_last() -> None:
    assert speakers(**KEYS, speaker_base_url="http://localhost/v1") == [
        "elevenlabs",
        "openai",
        "groq",
        "custom",
        "local",
    ]
    assert speakers() == ["local"]
    assert speakers(voice_fallback=False) == ["local"]


def test_who_lacks_a_key_is_left_out() -> None:
    assert speakers(speaker="openai,groq", groq_api_key="k") == ["groq", "local"]
    with pytest.raises(NotOffered, match="OPENAI_API_KEY"):
        speakers(speaker="openai", voice_fallback=False)


def test_a_model_that_is_set_is_that_of_the_first() -> None:
    found = providers.lined("speaker", made(speaker="openai,groq", speech_model="tts-1", voice_fallback=False, **KEYS))
    assert [offer.model for offer in found] == ["tts-1", "canopylabs/orpheus-v1-english"]


@pytest.mark.parametrize(
    ("voice", "name"),
    [("21m00Tcm4TlvDq8ikWAM", "elevenlabs"), ("coral", "openai"), ("troy", "groq"), ("joe", "local")],
)
def test_a_voice_tells_whose_it_is(voice: str, name: str) -> None:
    assert [each for each in ("elevenlabs", "openai", "groq", "local") if providers.has_voice(each, voice)] == [name]


@pytest.mark.parametrize(
    ("told", "code"),
    [("english", "en"), ("German", "de"), ("pt-BR", "pt"), ("zh", "zh"), ("Haitian Creole", "ht"), ("klingonese", "")],
)
def test_languages_have_codes(told: str, code: str) -> None:
    assert code_of(told) == code


@pytest.mark.parametrize("most", [10, 40, 200])
def test_a_long_text_is_cut_between_words_and_nothing_is_lost(most: int) -> None:
    text = "One sentence. Another one, with a clause; and more words, then a looooooooooooooooooooong one! " * 4
    found = list(parts(text, most))
    assert all(0 < len(part) <= most for part in found)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert list(parts("  ", most)) == []


def test_the_settings_of_voice_are_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "voice-providers.md").read_text()
    fields = ("transcriber", "transcription_model", "speaker", "speech_", "elevenlabs_input", "voice_fallback")
    fields += ("provider_transcript_s", "provider_first_sound_s", "speaker_base_url", "transcriber_base_url")
    wanted = [f"AURA_{name.upper()}" for name in Settings.model_fields if name.startswith(fields)]
    assert len(wanted) >= 12
    assert [name for name in wanted if name not in page] == []
