"""Keeping the sound of turns whose speakers were told so, once they have ended, and deleting what has grown old.

Nothing here is on a turn's way: for its five minutes in Redis the sound can wait.
"""

import base64
from collections.abc import Iterator
from uuid import UUID

import numpy as np
import soxr
import structlog

from pipelines.ports.sound import STT_RATE_HZ
from pipelines.stores import events
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import recordings, utterances
from pipelines.turn.sound import audio
from schemas.errors.providers import StoreUnavailable
from schemas.events import EventName, Subject
from schemas.tables.recordings import Recording
from workers import wiring
from workers.app import app

AT_ONCE = 20
EVENTS_A_READ = 100

log = structlog.get_logger()


@app.task(name="workers.recordings.keep")
def keep() -> None:
    """Keep what is due, over all tenants."""
    with operator_session() as session:
        due = recordings.take_due(session, AT_ONCE)
    for tenant_id, turn_id in due:
        try:
            keep_one(tenant_id, turn_id)
        except StoreUnavailable:
            # It is tried again in a minute, while its sound is there.
            log.warning("recording not kept", tenant_id=str(tenant_id), turn_id=str(turn_id))


@app.task(name="workers.recordings.forget")
def forget() -> None:
    """Delete what is older than its tenant keeps it: first the sound, so that none is left without its row."""
    with operator_session() as session:
        late = recordings.expired(session, at_most=1000)
    for tenant_id, turn_id in late:
        with tenant_session(tenant_id) as session:
            found = session.get(Recording, (tenant_id, turn_id))
        if found is not None:
            recordings.drop_sound(wiring.objects(), tenant_id, found.conversation_id, turn_id)
            with tenant_session(tenant_id) as session:
                recordings.remove(session, turn_id)


def keep_one(tenant_id: UUID, turn_id: UUID) -> None:
    """Write a turn's question and answer to the object store. Doing it twice is doing it once."""
    with tenant_session(tenant_id) as session:
        found = recordings.open_one(session, turn_id)
    if found is None:
        return
    question = utterances.get(get_redis(), tenant_id, turn_id)
    rate_hz, answer = _answered(found)
    if question:
        wiring.objects().put(recordings.key(found, recordings.QUESTION), audio.wav(question, STT_RATE_HZ))
    if answer:
        wiring.objects().put(recordings.key(found, recordings.ANSWER), audio.wav(answer, rate_hz))
    lengths = (_length_ms(question or b"", STT_RATE_HZ), _length_ms(answer, rate_hz))
    with tenant_session(tenant_id) as session:
        there = recordings.keep(session, turn_id, *lengths)
    if not there:
        # Its conversation was deleted while this went on.
        recordings.drop_sound(wiring.objects(), tenant_id, found.conversation_id, turn_id)


def _answered(recording: Recording) -> tuple[int, bytes]:
    """Return rate and PCM16 of all that was spoken of a turn's answer, in order; each piece once."""
    pieces: dict[tuple[int, int], tuple[int, bytes]] = {}
    for data in _events(recording):
        sound = base64.b64decode(data.get("audio") or b"")
        if sound:
            pieces[int(data["seq"]), int(data["part"])] = int(data["sample_rate_hz"]), sound
    ordered = [pieces[place] for place in sorted(pieces)]
    rate_hz = ordered[0][0] if ordered else STT_RATE_HZ
    return rate_hz, b"".join(_at(rate_hz, *piece) for piece in ordered)


def _events(recording: Recording) -> Iterator[dict[str, object]]:
    """Yield the turn's events of sound that are still kept."""
    subject = Subject.conversation(recording.tenant_id, recording.conversation_id)
    after = f"{int(recording.created_at.timestamp() * 1000) - 1000}-0"
    while found := events.replay(get_redis(), subject, after, EVENTS_A_READ):
        for event in found:
            if event.name == EventName.TURN_AUDIO and event.data.get("turn_id") == str(recording.turn_id):
                yield event.data
        after = found[-1].id


def _at(rate_hz: int, from_hz: int, pcm: bytes) -> bytes:
    """Return PCM16 at the rate at which the answer began: another speaker may have gone on with it."""
    if from_hz == rate_hz:
        return pcm
    resampled = soxr.resample(audio.samples(pcm), from_hz, rate_hz)
    return audio.pcm16(np.asarray(resampled, np.float32))


def _length_ms(pcm: bytes, rate_hz: int) -> int | None:
    return round(len(pcm) / 2 / rate_hz * 1e3) if pcm else None
