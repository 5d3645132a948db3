"""What a visitor of a widget is told: what was said and from which page it comes, and nothing of how it was made.

Costs, models, providers, confidences, passages and steps are the organisation's business. What is named here is told;
everything else is left out, so that a new field or event is not told either until somebody has thought about it.
"""

from collections.abc import Mapping
from typing import Any

from schemas.events import EventName, SessionEvent

ALWAYS = frozenset({"type", "id", "at", "turn_id", "conversation_id"})
NOTHING: frozenset[str] = frozenset()

TOLD: Mapping[str, frozenset[str]] = {
    EventName.TURN_STARTED: NOTHING,
    EventName.TURN_SPEECH_STARTED: NOTHING,
    EventName.TURN_SPEECH_STOPPED: frozenset({"duration_ms", "dismissed"}),
    EventName.TURN_TRANSCRIPT_PARTIAL: frozenset({"text", "stable", "language"}),
    EventName.TURN_TRANSCRIPT: frozenset({"text", "language"}),
    EventName.TURN_TOKEN: frozenset({"text"}),
    EventName.TURN_SENTENCE: frozenset({"seq", "text"}),
    EventName.TURN_AUDIO: frozenset(
        {"seq", "part", "last", "words", "audio", "sample_rate_hz", "settle", "filler", "encoding"}
    ),
    EventName.TURN_COMPLETED: frozenset({"response", "session_id", "citations"}),
    EventName.TURN_CANCELLED: frozenset({"reason", "played_ms"}),
    EventName.TURN_FAILED: frozenset({"code"}),
    SessionEvent.READY: frozenset(
        {"resumed", "state", "recording", "max_frame_bytes", "max_text_bytes", "max_session_s"}
    ),
    SessionEvent.STATE: frozenset({"state"}),
    SessionEvent.PLAYBACK_DUCK: frozenset({"gain"}),
    SessionEvent.PLAYBACK_PAUSE: frozenset({"played_ms"}),
    SessionEvent.PLAYBACK_RESUME: NOTHING,
    SessionEvent.RECORDING_STARTED: frozenset({"days"}),
    SessionEvent.INPUT_LEVEL: frozenset({"rms_db", "peak", "clipped_share", "jitter_ms"}),
    SessionEvent.INPUT_CLIPPING: frozenset({"clipped_share", "detail"}),
    SessionEvent.PONG: NOTHING,
    SessionEvent.ERROR: frozenset({"code", "detail", "retry_after_s"}),
}
"""The fields of each message that a visitor is told, besides those of all."""

OF_A_CITATION = ("number", "filename", "page", "heading_path")


def told(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a visitor is told of a message; None where it is none of theirs."""
    fields = TOLD.get(str(message["type"]))
    if fields is None:
        return None
    kept = {name: value for name, value in message.items() if name in ALWAYS or name in fields}
    if "citations" in kept:
        kept["citations"] = [{name: one.get(name) for name in OF_A_CITATION} for one in kept["citations"]]
    return kept
