"""What somebody is saying, told while they say it: `turn.transcript.partial`, of which the settled part never changes.

An utterance is asked about at most every `EVERY_S`, and only once the last answer is there; what two answers in a row
agree on is settled (`pipelines/turn/hearing/agreement.py`). Nothing here ever waits but threads of its own.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import structlog
from numpy.typing import NDArray

from api.door.auth import Caller
from pipelines.ports.sound import STT_RATE_HZ
from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from pipelines.turn.hearing.agreement import Agreement
from pipelines.turn.sound.audio import pcm16
from schemas.errors.tree import AuraError
from schemas.events import EventName
from workers import send

EVERY_S = 0.6
"""Shortest time between two questions about one utterance."""

LEAST_NEW_S = 0.3
"""New sound that is worth asking about."""

PRE_ROLL_S = 1.0
"""Sound from before the voice was noticed that belongs to the utterance."""

TRIM_AFTER_S = 10.0
"""From this length on it is asked when sentences ended, so that the sound of settled ones can be dropped."""

MOST_S = 28.0
"""Longest sound that is asked about; where nothing of it could be dropped, partial transcripts end here."""

PATIENCE_S = 5.0
AT_ONCE = 32
"""Questions of a web process that may be on their way at the same time; others wait their turn."""

log = structlog.get_logger(__name__)

Samples = NDArray[np.float32]
Ask = Callable[[Samples, str | None, bool], dict[str, Any]]


class Partials:
    """The partial transcripts of one conversation. `tell` gets the messages, from any thread, and must not wait."""

    def __init__(
        self,
        caller: Caller,
        conversation_id: UUID,
        language: str | None,
        tell: Callable[[dict[str, Any]], None],
        ask: Ask | None = None,
    ) -> None:
        self._conversation_id, self._language, self._tell = conversation_id, language, tell
        self._ask = ask or (lambda sound, language, marked: _transcribed(caller, sound, language, marked))
        self._lock = threading.Lock()
        self._before: list[Samples] = []
        self._utterance: _Utterance | None = None

    @property
    def text(self) -> str:
        """Return what is understood of the utterance so far."""
        utterance = self._utterance
        return utterance.agreement.said.text if utterance else ""

    def hear(self, samples: Samples) -> None:
        """Take 16 kHz mono sound as it comes, speech or not."""
        with self._lock:
            utterance = self._utterance
            if utterance is None:
                self._before.append(samples)
                while sum(map(len, self._before)) - len(self._before[0]) > PRE_ROLL_S * STT_RATE_HZ:
                    self._before.pop(0)
                return
            if utterance.length <= MOST_S * STT_RATE_HZ:
                utterance.sound.append(samples)
            if utterance.is_due():
                utterance.begin()
                _askers().submit(self._understand, utterance)

    def started(self) -> None:
        """Say that somebody has begun to speak; where they had already, they go on."""
        with self._lock:
            if self._utterance is None:
                self._utterance = _Utterance(self._before, self._language)
                self._before = []

    def stopped(self) -> None:
        """Say that the utterance is whole, or was none: nothing more is told of it."""
        with self._lock:
            self._utterance = None

    def _understand(self, utterance: "_Utterance") -> None:
        """Ask about an utterance and tell what is new; runs in a thread of its own."""
        if self._utterance is not utterance:
            return
        sound = np.concatenate(utterance.asked)
        duration_s = len(sound) / STT_RATE_HZ
        try:
            found = self._ask(sound, utterance.language, duration_s > TRIM_AFTER_S)
        except AuraError as error:
            log.info("partial.not_understood", code=error.code)
            found = {"busy": True}
        with self._lock:
            if self._utterance is not utterance:
                return
            if not found.get("busy") and "error" not in found and utterance.understood(found):
                said = utterance.agreement.said
                self._tell(
                    {
                        "type": EventName.TURN_TRANSCRIPT_PARTIAL,
                        "conversation_id": str(self._conversation_id),
                        "text": said.text,
                        "stable": said.stable,
                        "language": utterance.language,
                    }
                )
            utterance.asked = []


class _Utterance:
    """Sound that is being spoken; `sound` is what was not dropped, `asked` the part of it that is on its way."""

    def __init__(self, sound: Sequence[Samples], language: str | None) -> None:
        self.sound = list(sound)
        self.asked: list[Samples] = []
        self.agreement = Agreement()
        self.language = language
        self._asked_at = -EVERY_S
        self._new_from = 0

    @property
    def length(self) -> int:
        """Return how many samples are kept."""
        return sum(map(len, self.sound))

    def is_due(self) -> bool:
        if self.asked or time.monotonic() - self._asked_at < EVERY_S:
            return False
        return self.length <= MOST_S * STT_RATE_HZ and self.length - self._new_from >= LEAST_NEW_S * STT_RATE_HZ

    def begin(self) -> None:
        self.asked, self._asked_at = list(self.sound), time.monotonic()
        self._new_from = self.length

    def understood(self, found: dict[str, Any]) -> bool:
        """Take an answer and return whether there is something to tell."""
        before = self.agreement.said
        if found["text"]:
            self.language = self.language or found["language"] or None
        said = self.agreement.hear(found["text"])
        self._trim(found["segments"])
        return said != before and bool(said.text)

    def _trim(self, segments: Sequence[Sequence[Any]]) -> None:
        """Drop the sound of all settled segments but the last one of the transcript."""
        for last in range(len(segments) - 1, 0, -1):
            text = " ".join(segment[2] for segment in segments[:last])
            if self.agreement.drop(text):
                gone = int(segments[last - 1][1] * STT_RATE_HZ)
                whole = np.concatenate(self.sound)[gone:]
                self.sound, self._new_from = [whole], max(0, self._new_from - gone)
                return


def _transcribed(caller: Caller, sound: Samples, language: str | None, timestamps: bool) -> dict[str, Any]:
    """Have a worker listen. Raises ProviderUnavailable where none does in time, and StoreUnavailable."""
    call_id = uuid4()
    facts = {"language": language, "timestamps": timestamps}
    calls.ask(get_redis(), caller.tenant_id, call_id, facts, pcm16(sound), ttl_s=2 * int(PATIENCE_S))
    send.partial(caller.tenant_id, call_id, PATIENCE_S)
    reply, _ = calls.result(get_redis(), caller.tenant_id, call_id, PATIENCE_S)
    return reply


@lru_cache
def _askers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="partials")
