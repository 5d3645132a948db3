"""A session without a socket, ears that hear what they are told, and the rest of AURA as far as a session sees it."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from api.door.auth import Caller
from api.spoken.barge_in import BargeInOptions
from api.spoken.places import Place
from api.spoken.playback import Playback
from api.spoken.realtime import Session
from api.spoken.talk import Acts, Talk
from pipelines.ports.sound import Audio
from pipelines.stores.events import Published
from pipelines.turn.hearing.heard import (
    EndReason,
    FalseAlarm,
    Heard,
    Sound,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
    Voiced,
)
from pipelines.turn.hearing.recent import Level
from schemas.errors.providers import StoreUnavailable

SECOND = np.zeros(16_000, np.float32)


def speech(seconds: float) -> Audio:
    return Audio(np.zeros(int(16_000 * seconds), np.float32), 16_000)


def voiced(voiced_ms: float) -> Voiced:
    return Voiced(0.0, voiced_ms, -20.0)


def stopped(
    said: Audio | float, reason: EndReason = EndReason.SILENCE, voiced_ms: float = 0.0, at_s: float = 0.0
) -> SpeechStopped:
    utterance = said if isinstance(said, Audio) else speech(said)
    return SpeechStopped(at_s, utterance, reason, Sound(voiced_ms, voiced_ms, 0.9, -20.0))


@dataclass
class Script:
    """Ears that hear what they are told, whatever is said."""

    heard: list[list[Heard]] = field(default_factory=list)
    silence_s: float = 0.0
    played_s: float = 0.0
    hints: list[tuple[str | None, float | None, str | None]] = field(default_factory=list)
    loudness: Level = field(default_factory=lambda: Level(-30.0, 0.2, 0.0))

    def feed(self, samples: NDArray[np.float32]) -> Sequence[Heard]:
        if not self.heard:
            self.silence_s += len(samples) / 16_000
        return self.heard.pop(0) if self.heard else []

    def idle_s(self, watchful: bool = False) -> float:
        return 0.032 if watchful else 0.3

    def flush(self) -> Sequence[Heard]:
        return self.feed(SECOND)

    def hint(self, transcript: str | None, at_s: float | None = None, language: str | None = None) -> None:
        self.hints.append((transcript, at_s, language))

    def playing(self, samples: NDArray[np.float32]) -> None:
        self.played_s += len(samples) / 16_000

    def level(self) -> Level:
        return self.loudness


@dataclass
class House:
    """The rest of AURA as far as a session sees it; `did` is in which order it did what."""

    ears: Script = field(default_factory=Script)
    told: list[dict[str, Any]] = field(default_factory=list)
    started: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    cut: list[tuple[str, str, int]] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    timings: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    did: list[str] = field(default_factory=list)
    away: bool = False
    confirms: bool = True
    events: int = 0

    def session(self, resume: Place | None = None, answer: Playback | None = None, **options: Any) -> Session:
        caller = Caller(uuid4(), "jo", "user")
        talk = Talk(caller, uuid4(), "desk", "en", **options)
        acts = Acts(
            lambda _: caller,
            lambda *_: uuid4(),
            self.start_turn,
            self.cancel_turn,
            confirm_turn=self.confirm_turn,
            drop_turn=self.drop_turn,
            cut_off=self.cut_off,
            timed=lambda _, turn_id, timings: self.timings.append((str(turn_id), timings)),
        )
        adopts = resume is not None
        return Session(talk, self.ears, acts, self.told.append, resume or Place(), adopts, answer)

    def start_turn(self, caller: Caller, conversation_id: UUID, **asked: Any) -> UUID:
        if self.away:
            raise StoreUnavailable
        self.did.append("start")
        self.started.append({"turn_id": uuid4(), **asked})
        return UUID(str(self.started[-1]["turn_id"]))

    def cancel_turn(self, caller: Caller, turn_id: UUID, reason: str) -> None:
        self.did.append("cancel")
        self.cancelled.append((str(turn_id), reason))
        if self.away:
            raise StoreUnavailable

    def confirm_turn(self, caller: Caller, turn_id: UUID, timings: Mapping[str, Any]) -> bool:
        self.did.append("confirm")
        self.confirmed.append(str(turn_id))
        return self.confirms

    def drop_turn(self, caller: Caller, turn_id: UUID) -> None:
        self.did.append("drop")
        self.dropped.append(str(turn_id))

    def cut_off(self, caller: Caller, turn_id: UUID, heard: str, played_ms: int, reason: str) -> None:
        self.did.append("cut_off")
        self.cut.append((str(turn_id), heard, played_ms))

    def hear(self, session: Session, *events: Heard) -> None:
        """Let the session hear a frame in which this happens."""
        self.ears.heard.append(list(events))
        session.hear(SECOND[:320])

    def turn(self, n: int = -1) -> str:
        return str(self.started[n]["turn_id"])

    def event(self, name: str, turn_id: str, **data: Any) -> Published:
        self.events += 1
        body = json.dumps({"type": name, "turn_id": turn_id, **data}).encode()
        return Published(f"{self.events}-0", name, body)

    def sound(
        self, turn_id: str, seq: int = 0, part: int = 0, seconds: float = 1.0, last: bool = False, **data: Any
    ) -> Published:
        audio = base64.b64encode(bytes(int(44_100 * seconds))).decode()
        about = {"seq": seq, "part": part, "last": last, "sample_rate_hz": 22_050, **data}
        return self.event("turn.audio", turn_id, **about, audio=audio)

    def states(self) -> list[str]:
        return [str(message["state"]) for message in self.told if message["type"] == "state"]

    def kinds(self) -> list[str]:
        return [str(message["type"]) for message in self.told]

    def speaking(self, seconds: float = 10.0, text: str = "One two three four five.", **options: Any) -> Session:
        """Return a session whose answer of one sentence is being heard."""
        session = self.session(**options)
        session.ask("Tell me.")
        said(session, self.event("turn.sentence", self.turn(), seq=0, text=text))
        said(session, self.sound(self.turn(), seconds=seconds, last=True))
        self.told.clear()
        self.did.clear()
        return session


def said(session: Session, event: Published) -> list[dict[str, Any]]:
    return list(session.relay(event))


__all__ = [
    "SECOND",
    "BargeInOptions",
    "EndReason",
    "FalseAlarm",
    "House",
    "Script",
    "SpeechPaused",
    "SpeechResumed",
    "SpeechStarted",
    "said",
    "speech",
    "stopped",
    "voiced",
]
