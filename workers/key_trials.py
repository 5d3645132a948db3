"""An organisation's own key of a provider, tried: one short call of each kind of work that the key leads to."""

import time
from uuid import UUID

from pipelines import providers
from pipelines.ports.models import Prompt, Usage
from pipelines.providers import Offer
from pipelines.stores.operations import calls
from pipelines.stores.organisation import provider_keys
from pipelines.stores.redis import get_redis
from schemas.errors.tree import AuraError
from workers import wiring
from workers.app import app
from workers.spending import budget

ASKED = Prompt("Ready?", (), "Answer with one word.", bare=True)
SAID = "Ready."
KINDS = {"chat": "chat", "embedder": "embedding", "speaker": "speech"}
"""What can be tried for next to nothing. To listen, a provider would need something that was said."""


@app.task(name="workers.key_trials.try_key")
def try_key(tenant_id: str, call_id: str) -> None:
    """Reply with how each kind of work went that the provider's key is used for."""
    tenant, call = UUID(tenant_id), UUID(call_id)
    found = calls.asked(get_redis(), tenant, call)
    if found is None:
        return
    # One that was set a moment ago is the one to try.
    wiring.know(tenant, provider_keys.kept(tenant))
    name = found[0]["provider"]
    offers = [one for one in providers.offers(wiring.offering(tenant)) if one.name == name and one.offered]
    trials = [_tried(tenant, call, offer) for offer in offers if _can_be_tried(offer)]
    calls.reply(get_redis(), tenant, call, {"trials": trials})


def _can_be_tried(offer: Offer) -> bool:
    """Return whether a short call tells something: a tenant's texts are embedded by the one that is chosen alone."""
    return offer.kind in KINDS and (offer.kind != "embedder" or offer.chosen)


def _tried(tenant_id: UUID, call_id: UUID, offer: Offer) -> dict[str, object]:
    kind, began = KINDS[offer.kind], time.monotonic()
    code, detail = None, ""
    try:
        _call(tenant_id, call_id, offer)
    except AuraError as error:
        code, detail = error.code, error.detail
    took_ms = round((time.monotonic() - began) * 1e3)
    return {"kind": kind, "model": offer.model, "works": code is None, "code": code, "detail": detail, "ms": took_ms}


def _call(tenant_id: UUID, call_id: UUID, offer: Offer) -> None:
    """Have the provider do a little of its work. Raises what it refuses with."""
    if offer.kind == "chat":
        model = wiring.chat_model(tenant_id, offer.name)
        with budget.chat(tenant_id, model, ASKED, call_id) as call:
            for piece in model.answer(ASKED):
                if isinstance(piece, Usage):
                    call.spent = budget.spent_on(piece)
    elif offer.kind == "speaker":
        # Not its voices: some providers' are known here, and no key is needed to name them.
        speaker = wiring.speaker(tenant_id, offer.name)
        with budget.speech(tenant_id, speaker, SAID, call_id):
            next(speaker.speak(SAID), None)
    else:
        embedder = wiring.embedder(tenant_id)
        with budget.embedding(tenant_id, embedder, ["ready"], call_id):
            embedder.embed(["ready"])
