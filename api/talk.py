"""What a spoken conversation is made of, and what the rest of AURA does for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from api.auth import Caller
from pipelines.turn.endpointing import Heard


class State(StrEnum):
    """What a session is doing."""

    LISTENING = "listening"
    HEARING = "hearing"
    THINKING = "thinking"
    SPEAKING = "speaking"


class Ears(Protocol):
    """Finds utterances in sound."""

    def feed(self, samples: NDArray[np.float32]) -> Sequence[Heard]: ...

    def flush(self) -> Sequence[Heard]:
        """Return what ends if nothing more is said."""


class StartTurn(Protocol):
    """Accepts a question, asked by text or as PCM16 at 16 kHz, and returns its turn's id."""

    def __call__(
        self,
        caller: Caller,
        conversation_id: UUID,
        *,
        assistant_key: str,
        question: str | None = None,
        utterance: bytes | None = None,
        spoken: bool = False,
        language: str | None = None,
    ) -> UUID: ...


class Place(Protocol):
    """A tenant's place for one open session."""

    def keep(self) -> bool:
        """Say that the session is alive, every `KEEP_EVERY_S`; False where its place was lost."""

    def leave(self) -> None: ...


KEEP_EVERY_S = 10.0


class _Free:
    """A place where sessions are not counted."""

    def keep(self) -> bool:
        return True

    def leave(self) -> None:
        return


@dataclass(frozen=True)
class Acts:
    """What a session has done by the rest of AURA. Each raises errors of the one tree."""

    authenticate: Callable[[str | None], Caller]
    open_conversation: Callable[[Caller, str, UUID | None], UUID]
    start_turn: StartTurn
    cancel_turn: Callable[[Caller, UUID, str], object]
    take_place: Callable[[Caller], Place] = lambda _: _Free()


@dataclass(frozen=True)
class Talk:
    """Who talks about what."""

    caller: Caller
    conversation_id: UUID
    assistant_key: str
    language: str | None = None
