"""Settings become providers and stores here: one of each per process, made when first used.

A tenant with keys of its own has its own provider where such a key is the chosen one's; all others share.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast
from uuid import UUID

from pydantic import SecretStr

from pipelines import providers
from pipelines.ports.models import ChatModel, Embedder
from pipelines.ports.sound import Speaker, Transcriber
from pipelines.providers import Kind
from pipelines.stores.objects import ObjectStore
from pipelines.stores.organisation import provider_keys
from schemas.errors.requests import NotOffered
from schemas.logs import hide
from schemas.requests.organisation.providers import KeyedProvider
from schemas.settings import Settings, get_settings
from workers.process.trusted import Trusted

KEYS_TRUSTED_S = 3.0
"""Seconds for which a tenant's keys are not read again: a change is everywhere after them."""

MAX_OWN = 256
"""Providers with keys of tenants that a process keeps; the one unused for longest is made anew when asked for."""


@dataclass(frozen=True)
class Answerer:
    """What may do a kind of work: its names, whether it runs here, and whether a tenant's own key leads to it."""

    provider: str
    model: str
    local: bool
    own_key: bool


@lru_cache
def objects() -> ObjectStore:
    """Return the object store."""
    return ObjectStore(get_settings())


def embedder(tenant_id: UUID) -> Embedder:
    """Return what embeds the tenant's chunks and questions. Raises NotOffered, StoreUnavailable."""
    return cast(Embedder, _for(tenant_id, "embedder"))


def embedder_of(tenant_id: UUID, model: str) -> Embedder:
    """Return what makes the tenant's vectors of `model`, whatever embeds now. Raises NotOffered, StoreUnavailable."""
    kept = _kept(tenant_id)
    provider, secret = _own_of(tenant_id, model, kept) if kept else (_shared_of(model), "")
    hide(secret)
    return provider


def chat_model(tenant_id: UUID, provider: str = "") -> ChatModel:
    """Return what writes the tenant's answers, of the `provider` where one is named.

    Raises NotOffered, StoreUnavailable.
    """
    return cast(ChatModel, _for(tenant_id, "chat", provider))


def answerers(tenant_id: UUID) -> list[Answerer]:
    """Return what may write the tenant's answers, without making any. Raises NotOffered, StoreUnavailable."""
    own = own_keys(tenant_id)
    found = providers.answering(offering(tenant_id))
    return [Answerer(offer.name, offer.model, offer.local, offer.name in own) for offer in found]


def transcriber(tenant_id: UUID, provider: str = "") -> Transcriber:
    """Return what turns the tenant's speech into text, of the `provider` where one is named.

    Raises NotOffered, StoreUnavailable.
    """
    return cast(Transcriber, _for(tenant_id, "transcriber", provider))


def speaker(tenant_id: UUID, provider: str = "") -> Speaker:
    """Return what turns text into the tenant's speech, of the `provider` where one is named.

    Raises NotOffered, StoreUnavailable.
    """
    return cast(Speaker, _for(tenant_id, "speaker", provider))


def voices(tenant_id: UUID, kind: Literal["transcriber", "speaker"]) -> list[Answerer]:
    """Return what may listen or speak for the tenant, best first, without making any.

    Raises NotOffered, StoreUnavailable.
    """
    own = own_keys(tenant_id)
    found = providers.lined(kind, offering(tenant_id))
    return [Answerer(offer.name, offer.model, offer.local, offer.name in own) for offer in found]


def own_keys(tenant_id: UUID) -> set[str]:
    """Return the providers of which the tenant has keys of its own. Raises StoreUnavailable."""
    return {str(provider) for provider, _ in _kept(tenant_id)}


def offering(tenant_id: UUID) -> Settings:
    """Return the settings by which providers are chosen for a tenant: they say that its keys are there, not what."""
    return _with_keys(_kept(tenant_id))


def _for(tenant_id: UUID, kind: Kind, name: str = "") -> Any:
    kept = _kept(tenant_id)
    # A model that stands in for a server is loaded when it is first needed, by one of all that need it.
    with _MAKING[kind]:
        if not kept:
            return _shared(kind, name)
        provider, secret = _own(tenant_id, kind, kept, name)
    hide(secret)
    return provider


def wants_keys(tenant_id: UUID) -> bool:
    """Return whether the tenant's keys are to be read again; whoever reads its row anyhow brings them by `know`."""
    return _kept.wants(tenant_id)


def know(tenant_id: UUID, kept: provider_keys.Kept) -> None:
    """Take a tenant's keys as they have just been read."""
    _kept.bring(tenant_id, kept)


_kept = Trusted[provider_keys.Kept](provider_keys.kept, KEYS_TRUSTED_S)


@lru_cache
def _shared(kind: Kind, name: str = "") -> Any:
    """Return the deployment's own provider: a model is loaded once a process, not once a tenant or name."""
    if not name:
        return _shared(kind, providers.chosen(kind, get_settings()))
    return MAKERS[kind](_naming(name, get_settings(), kind))


@lru_cache(maxsize=MAX_OWN)
def _own(tenant_id: UUID, kind: Kind, kept: provider_keys.Kept, named: str = "") -> tuple[Any, str]:
    """Return a tenant's provider and the key in it; the shared one, and no key, where none of its keys is asked for.

    Only the key that is used is opened, so that another that cannot be is no hindrance.
    """
    chosen = _naming(named, _with_keys(kept), kind)
    name = providers.chosen(kind, chosen)
    sealed = {str(provider): text for provider, text in kept}.get(name)
    if sealed is None:
        return _shared(kind, named), ""
    provider = KeyedProvider(name)
    secret = provider_keys.opened(sealed, tenant_id, provider)
    return MAKERS[kind](chosen.model_copy(update={provider.key_field: SecretStr(secret)})), secret


@lru_cache
def _shared_of(model: str) -> Embedder:
    """Return the deployment's own embedder of `model`."""
    if model == providers.embedding_model(get_settings()):
        return cast(Embedder, _shared("embedder"))
    return providers.embedder_of(model, get_settings())


@lru_cache(maxsize=MAX_OWN)
def _own_of(tenant_id: UUID, model: str, kept: provider_keys.Kept) -> tuple[Embedder, str]:
    """Return a tenant's embedder of `model` and the key in it; as `_own`."""
    name = providers.making(model, _with_keys(kept)).embedder
    sealed = {str(provider): text for provider, text in kept}.get(name)
    if sealed is None:
        return _shared_of(model), ""
    provider = KeyedProvider(name)
    secret = provider_keys.opened(sealed, tenant_id, provider)
    settings = get_settings().model_copy(update={provider.key_field: SecretStr(secret)})
    return providers.embedder_of(model, settings), secret


def _naming(provider: str, settings: Settings, kind: Kind) -> Settings:
    return providers.naming(provider, settings, kind) if provider else settings


def _with_keys(kept: provider_keys.Kept) -> Settings:
    return get_settings().model_copy(update={provider.key_field: SecretStr("sealed") for provider, _ in kept})


MAKERS: dict[Kind, Callable[[Settings], Any]] = {
    "chat": providers.chat_model,
    "embedder": providers.embedder,
    "transcriber": providers.transcriber,
    "speaker": providers.speaker,
}


_MAKING = {kind: threading.Lock() for kind in MAKERS}


def warm(queue: str) -> None:
    """Load what tasks of `queue` need. A provider that is not offered is reported when it is asked for."""
    loader = WARMERS.get(queue)
    if loader is not None:
        try:
            loader()
        except NotOffered:
            return


def _warm_extract() -> None:
    import pypdfium2  # noqa: F401 (imported before the pool forks, so that its children share the memory)


def _warm_chunk() -> None:
    from pipelines.ingest import tokens

    tokens.count("warm")


def _warm_speaker() -> None:
    _warm_line("speaker")
    speaking = _shared("speaker")
    if speaking.name == "local":
        b"".join(speaking.speak("Ready."))


def _warm_line(kind: Literal["transcriber", "speaker"]) -> None:
    """Make all that may be asked; what runs here only where it comes first, as it is large."""
    for place, offer in enumerate(providers.lined(kind, get_settings())):
        if not offer.local or place == 0:
            _shared(kind, offer.name)


def _warm_express() -> None:
    _warm_extract()
    _warm_chunk()


WARMERS: dict[str, Callable[[], object]] = {
    "extract": _warm_extract,
    "express": _warm_express,
    "chunk": _warm_chunk,
    "embed": lambda: _shared("embedder").embed(["warm"]),
    "retrieve": lambda: _shared("embedder").embed(["warm"]),
    "generate": lambda: _shared("chat"),
    "transcribe": lambda: _warm_line("transcriber"),
    "synthesize": _warm_speaker,
}
