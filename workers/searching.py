"""One search of a tenant's knowledge, for a caller who waits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pipelines.ports.passages import KnowledgeFilter
from pipelines.stores.operations import calls
from pipelines.stores.redis import get_redis
from pipelines.turn.finding import fusion
from pipelines.turn.finding.distinct import merged
from pipelines.turn.finding.fusion import Rankings
from pipelines.turn.wording.words import content_words
from schemas.errors.tree import AuraError
from schemas.tables.dialogue import Turn
from workers.app import app
from workers.dialogue import finding


@app.task(name="workers.searching.search")
def search(tenant_id: str, call_id: str) -> None:
    """Reply with the best passages for a query and all their scores."""
    tenant, call = UUID(tenant_id), UUID(call_id)
    found = calls.asked(get_redis(), tenant, call)
    if found is None:
        return
    facts, _ = found
    # What a turn would find, without one: nothing of a search is kept.
    asking = Turn(tenant_id=tenant, turn_id=call, conversation_id=call, assistant_key=facts["assistant_key"])
    try:
        rankings = finding.rankings(asking, facts["query"], knowledge_filter(facts["filter"]))
        reply = {"passages": ranked(facts["mode"], rankings, facts["query"])[: facts["limit"]]}
    except AuraError as error:
        reply = {"error": error.code, "detail": error.detail}
    calls.reply(get_redis(), tenant, call, reply)


def knowledge_filter(facts: dict[str, Any]) -> KnowledgeFilter:
    """Return the filter that was written as JSON."""
    return KnowledgeFilter(
        doc_ids=tuple(UUID(doc_id) for doc_id in facts["doc_ids"]),
        tags=tuple(facts["tags"]),
        file_types=tuple(facts["file_types"]),
        sources=tuple(facts["sources"]),
        created_after=_moment(facts["created_after"]),
        created_before=_moment(facts["created_before"]),
    )


def ranked(mode: str, rankings: Rankings, query: str) -> list[dict[str, Any]]:
    """Return the passages by the ranking of `mode`, best first, each with what every ranking says of it."""
    fused = merged(fusion.fused(rankings, query), content_words(query))
    scores = {
        "vector": {passage.chunk_id: passage.similarity for passage in rankings.dense},
        "bm25": {passage.chunk_id: passage.bm25 for passage in rankings.lexical},
        "fused": {passage.chunk_id: passage.score for passage in fused},
    }
    order = {"vector": rankings.dense, "bm25": rankings.lexical, "fused": fused}[mode]
    return [
        {
            **{name: getattr(passage, name) for name in SHOWN},
            "doc_id": str(passage.doc_id),
            "scores": {name: of.get(passage.chunk_id) for name, of in scores.items()},
        }
        for passage in order
    ]


SHOWN = ("source", "chunk_id", "filename", "text", "heading_path", "page_from", "page_to", "chunk_type")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
