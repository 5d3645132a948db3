"""An answer on its way, within time limits."""

from collections.abc import Callable, Iterator

from pipelines.ports.models import ChatModel, Delta, Prompt, Usage
from pipelines.turn.generating.reading import LOOK_EVERY_S, Limits, Reading
from schemas.errors.work import Cancelled

__all__ = ["LOOK_EVERY_S", "Limits", "Speaking", "pieces"]


class Speaking(Reading[Delta]):
    """One answer of one model, being read. After its `Usage` there is no piece."""

    def __init__(self, model: ChatModel, prompt: Prompt, limits: Limits) -> None:
        self.model = model
        # A provider's answer can be closed, though the port promises only an iterator.
        super().__init__(model.name, model.answer(prompt), limits)

    def _read(self) -> None:
        for delta in self._pieces:
            if self._stopped.is_set():
                return
            if delta:
                self._heard.put(delta)
            if isinstance(delta, Usage):
                return
        self._heard.put(Usage(self.model.name, self.model.model))


def pieces(speaking: Speaking, cancelled: Callable[[], bool]) -> Iterator[Delta]:
    """Yield what is spoken up to and with the `Usage`. Raises Cancelled, and what `Speaking.next` raises."""
    while True:
        if cancelled():
            raise Cancelled
        piece = speaking.next()
        if piece is None:
            continue
        yield piece
        if isinstance(piece, Usage):
            return
