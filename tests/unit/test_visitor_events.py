"""What a visitor of a widget is told of events, and what stays the organisation's."""

from typing import Any

import pytest

from api.dialogue import visitor_events
from schemas.events import EventName, SessionEvent

CITATION = {
    "number": 1,
    "filename": "hours.txt",
    "page": 2,
    "heading_path": ["Visit"],
    "document_id": "6f1c",
    "quote": "Salaries are on the same page.",
    "page_image": "/api/documents/6f1c/pages/2",
}
ANSWER: dict[str, Any] = {
    "type": "turn.completed",
    "id": "1-0",
    "at": "2026-11-21T10:00:00+00:00",
    "subject": {"kind": "conversation", "id": "c"},
    "turn_id": "t",
    "conversation_id": "c",
    "session_id": "c",
    "response": "At ten. [1]",
    "citations": [CITATION],
    "sources": ["hours.txt", "salaries.txt"],
    "cost": 0.01,
    "model_used": "gpt-4o",
    "provider": "openai",
    "timings": {"generate": {"provider": "openai"}},
    "context_confidence": 0.9,
    "memory": {"learned": []},
    "route": {"rule": "vip"},
    "persona_applied": {"formality": 3},
    "cache": {"hit": "exact"},
}


def test_an_answer_is_its_text_and_the_names_of_its_pages() -> None:
    assert visitor_events.told(ANSWER) == {
        "type": "turn.completed",
        "id": "1-0",
        "at": "2026-11-21T10:00:00+00:00",
        "turn_id": "t",
        "conversation_id": "c",
        "session_id": "c",
        "response": "At ten. [1]",
        "citations": [{"number": 1, "filename": "hours.txt", "page": 2, "heading_path": ["Visit"]}],
    }


def test_sound_keeps_what_a_player_needs() -> None:
    sound = {"type": "turn.audio", "id": "2-0", "turn_id": "t", "seq": 0, "part": 1, "last": False, "audio": b"..."}
    about = {"sample_rate_hz": 24_000, "settle": True, "words": [], "filler": True}
    assert visitor_events.told({**sound, **about, "provider": "elevenlabs"}) == {**sound, **about}


@pytest.mark.parametrize("name", [each for each in EventName if not each.startswith("turn.")])
def test_what_else_happens_in_an_organisation_is_not_told(name: EventName) -> None:
    told = visitor_events.told({"type": name, "id": "1-0", "days": 3, "detail": "secret"})
    assert told == ({"type": name, "id": "1-0", "days": 3} if name is EventName.RECORDING_STARTED else None)


@pytest.mark.parametrize("name", [EventName.TURN_RETRIEVED, EventName.TURN_TOOL])
def test_how_an_answer_is_made_is_not_told(name: EventName) -> None:
    assert visitor_events.told({"type": name, "turn_id": "t", "sources": ["salaries.txt"]}) is None


def test_every_message_of_a_session_has_been_thought_about() -> None:
    turns = {each for each in EventName if each.startswith("turn.")} - {EventName.TURN_RETRIEVED, EventName.TURN_TOOL}
    assert set(visitor_events.TOLD) == turns | set(SessionEvent)
