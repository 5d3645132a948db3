"""What an answer can rest on, found or remembered: the same question about the same knowledge is searched for once."""

from pipelines.stores.knowledge import remembered
from pipelines.stores.redis import get_redis
from pipelines.stores.turns import turns
from pipelines.stores.turns.circumstances import Circumstances
from schemas.tables.dialogue import Turn
from workers.dialogue import caching, finding
from workers.dialogue.finding import Ground


def ground(turn: Turn, about: Circumstances | None = None) -> Ground:
    """Return what the turn's question is answered from. Raises what the embedder of now raises.

    What is remembered is named by the knowledge version that was read before it was searched for.
    """
    key = caching.ground_key(turn)
    if key is None:
        return finding.ground(turn, about=about)
    known = remembered.ground(get_redis(), turn.tenant_id, key)
    if known is not None:
        return Ground(turns.unpacked(known["passages"]), known["confidence"])
    found = finding.ground(turn, about=about)
    facts = {"passages": turns.packed(found.passages), "confidence": found.confidence}
    remembered.keep_ground(get_redis(), turn.tenant_id, key, facts)
    return found
