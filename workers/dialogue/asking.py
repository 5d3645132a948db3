"""What a turn's model is asked: the assistant's instructions, who asks and how, what was said before, the passages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.ports.models import Persona, Prompt, Said
from pipelines.ports.passages import Passage
from pipelines.stores.database import tenant_session
from pipelines.stores.dialogue import conversations, preferences
from pipelines.stores.turns.circumstances import Circumstances
from pipelines.turn.prompting import memory, persona, prompt
from pipelines.turn.prompting.preferences import Heard, acknowledgement, hear
from schemas.settings import get_settings
from schemas.tables.dialogue import Turn
from workers import send


@dataclass(frozen=True)
class Asking:
    """What a model is asked, and what the turn keeps of it: preferences that it told of, and whether a persona is on.

    `interrupted` where the answer before was cut while it was heard.
    """

    prompt: Prompt
    noticed: list[Mapping[str, Any]]
    persona_applied: bool

    @property
    def kept(self) -> dict[str, Any]:
        """Return what the turn keeps of it."""
        return {"noticed": self.noticed, "persona_applied": self.persona_applied}


def asked(turn: Turn, about: Circumstances, passages: Sequence[Passage]) -> Asking:
    """Return all that the turn's answer is made from.

    Preferences that the question tells of are learned here, where their user allows it; of a turn that is not
    confirmed once it is. To be called again is to say it again: nothing is learned twice. Raises StoreUnavailable.
    """
    heard = hear(turn.question or "")
    learned = learn(turn, about.user_id, heard) if turn.confirmed_at is not None else frozenset[str]()
    known, applied = _known(turn, about, heard), _persona(turn, about, heard)
    said = _history(about) if turn.use_memory else ()
    made = prompt.build(
        question=turn.standalone or heard.question or turn.question or "",
        passages=passages,
        agent_name=about.name,
        agent_instructions=about.instructions,
        history=said,
        spoken=turn.spoken,
        confidence=turn.confidence or 0.0,
        threshold=get_settings().match_threshold,
        persona=applied,
        about=known if turn.use_memory else {wish.key: wish.value for wish in heard.wishes},
        grounded=turn.search_knowledge,
        reply=None if heard.question else acknowledgement(heard.wishes, bool(learned)) or None,
        interrupted=bool(said) and about.exchanges[-1].cut,
    )
    return Asking(made, _noticed(heard, learned), applied is not None)


def learn(turn: Turn, user_id: str, heard: Heard) -> frozenset[str]:
    """Keep what lasts of what a question tells of its user, where they allow it; return the keys of what was kept."""
    if not turn.use_memory or not any(wish.lasting for wish in heard.wishes):
        return frozenset()
    with tenant_session(turn.tenant_id, durable=False) as session:
        return preferences.learn(session, turn, user_id, heard.wishes)


def remember(turn: Turn) -> None:
    """Have the turn's conversation summarised where it has more than a prompt carries whole; after the answer."""
    if not turn.use_memory:
        return
    with tenant_session(turn.tenant_id, durable=False) as session:
        size = conversations.unsummarised_bytes(session, turn.conversation_id)
    if size > get_settings().history_tokens * memory.BYTES_PER_TOKEN:
        send.summary(turn.tenant_id, turn.conversation_id)


def _known(turn: Turn, about: Circumstances, heard: Heard) -> dict[str, Any]:
    """Return what the user prefers; what they say now counts for this answer, whatever is kept of it."""
    kept = dict(sorted(about.preferences.items())) if turn.use_memory or turn.use_persona else {}
    return kept | {wish.key: wish.value for wish in heard.wishes}


def _persona(turn: Turn, about: Circumstances, heard: Heard) -> Persona | None:
    if not turn.use_persona:
        return None
    return persona.combined(about.persona, about.account, _known(turn, about, heard), turn.persona)


def _history(about: Circumstances) -> tuple[Said, ...]:
    settings = get_settings()
    return memory.recall(about.summary, about.exchanges, settings.history_tokens, settings.summary_tokens).history()


def _noticed(heard: Heard, learned: frozenset[str]) -> list[Mapping[str, Any]]:
    return [
        {"key": wish.key, "value": wish.value, "confidence": wish.confidence, "learned": wish.key in learned}
        for wish in heard.wishes
    ]
