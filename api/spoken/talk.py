"""What a spoken conversation is made of, and what the rest of AURA does for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from api.door.auth import Caller
from api.spoken.barge_in import BargeInOptions
from pipelines.turn.hearing.heard import Heard
from pipelines.turn.hearing.recent import Level

Samples = NDArray[np.float32]
Message = dict[str, Any]
"""What a client is told: JSON with a `type`."""


class State(StrEnum):
    """What a session is doing."""

    LISTENING = "listening"
    HEARING = "hearing"
    THINKING = "thinking"
    SPEAKING = "speaking"


class Ears(Protocol):
    """Finds utterances in sound. Only `hint` may be called by another thread."""

    def feed(self, samples: Samples) -> Sequence[Heard]: ...

    def idle_s(self, watchful: bool = False) -> float:
        """Return how much more sound may come before any of it has to be heard; a voice at once where `watchful`."""

    def flush(self) -> Sequence[Heard]:
        """Return what ends if nothing more is said."""

    def hint(self, transcript: str | None, at_s: float | None = None, language: str | None = None) -> None:
        """Take what was said before the pause at `at_s`."""

    def playing(self, samples: Samples) -> None:
        """Take what the assistant's voice says from now on, or after what was taken before: its echo is no speech."""

    def level(self) -> Level:
        """Return how loud it was since the last call."""


class HearsAlong(Protocol):
    """Hears along while somebody speaks, for transcripts that are not whole yet."""

    def hear(self, samples: Samples) -> None: ...

    def started(self) -> None: ...

    def stopped(self) -> None: ...


class StartTurn(Protocol):
    """Accepts a question, asked by text or as PCM16 at 16 kHz, and returns its turn's id.

    A `speculative` one answers nothing before it is confirmed, though with `speculative_generation` its answer is
    made meanwhile.
    """

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
        speculative: bool = False,
        speculative_generation: bool = False,
        timings: Mapping[str, Any] | None = None,
        recorded: bool = False,
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
    """What a session has done by the rest of AURA. Each raises errors of the one tree.

    `confirm_turn` says whether the speculative turn goes on; `cut_off` makes what was heard of an answer what the
    conversation remembers of it; `timed` adds to a turn's waterfall. `filler_after_s` is after how long without an
    answer an assistant has `say_filler` called, None for never; `recording_days` for how long what the caller says is
    kept, None where it is not. `tells` returns what the client is told of a message, None where nothing.
    """

    authenticate: Callable[[str | None], Caller]
    open_conversation: Callable[[Caller, str, UUID | None], UUID]
    start_turn: StartTurn
    cancel_turn: Callable[[Caller, UUID, str], object]
    take_place: Callable[[Caller], Place] = lambda _: _Free()
    confirm_turn: Callable[[Caller, UUID, Mapping[str, Any]], bool] = lambda *_: False
    drop_turn: Callable[[Caller, UUID], object] = lambda *_: None
    cut_off: Callable[[Caller, UUID, str, int, str], object] = lambda *_: None
    timed: Callable[[Caller, UUID, Mapping[str, Any]], object] = lambda *_: None
    filler_after_s: Callable[[Caller, str], float | None] = lambda *_: None
    say_filler: Callable[[Caller, UUID], object] = lambda *_: None
    recording_days: Callable[[Caller], int | None] = lambda _: None
    tells: Callable[[Message], Message | None] = lambda message: message


@dataclass(frozen=True)
class Talk:
    """Who talks about what, and how."""

    caller: Caller
    conversation_id: UUID
    assistant_key: str
    language: str | None = None
    barge_in: BargeInOptions = field(default_factory=BargeInOptions)
    speculate: bool = False
    speculative_generation: bool = False
    paced: bool = False
    knows_echo: bool = True
    levels: bool = False
    filler_after_s: float | None = None
    recorded: bool = False
