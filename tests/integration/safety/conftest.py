"""Stacks with and without a model, each with documents that give orders, and a place that nobody may reach."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.integration.providers.fakes import FarEnd, body, far_end
from tests.integration.reindex.stacks import Stack
from tests.integration.safety import gullible
from tests.integration.safety.injected import ORDERS, files
from tests.integration.whole_stack import running

FIRST = {"local": 100, "model": 300}


@dataclass
class Scene:
    """A stack; the numbers of gadgets that stand beside orders and, as many further on, in clean twins."""

    stack: Stack
    models: FarEnd
    outside: FarEnd
    has_model: bool
    first: int
    answers: dict[int, str] = field(default_factory=dict)

    def ask(self, question: str) -> dict[str, object]:
        found = self.stack.client.post("/api/chat", json={"message": question, "use_memory": False})
        assert found.status_code == 200, found.text
        answer: dict[str, object] = found.json()
        return answer

    def answer(self, number: int) -> str:
        """Return what is answered about a gadget."""
        if number not in self.answers:
            self.answers[number] = str(self.ask(f"What does the gadget{number} cost?")["response"])
        return self.answers[number]


@pytest.fixture(scope="module", params=["local", "model"])
def scene(
    request: pytest.FixtureRequest, servers: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    chat = gullible.chat if request.param == "model" else None
    with far_end() as outside, running(servers, tmp_path_factory.mktemp("stack"), chat) as (stack, models):
        outside.reply = body({})
        first = FIRST[request.param]
        stack.upload(files(outside.url, first))
        stack.upload(files(outside.url, first + len(ORDERS), hostile=False))
        yield Scene(stack, models, outside, chat is not None, first)
