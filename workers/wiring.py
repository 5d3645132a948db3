"""Settings become providers and stores here: one of each per process, made when first used."""

from collections.abc import Callable
from functools import lru_cache

from pipelines import providers
from pipelines.ports import ChatModel, Embedder, Speaker, Transcriber
from pipelines.stores.objects import ObjectStore
from schemas.errors import NotOffered
from schemas.settings import get_settings


@lru_cache
def objects() -> ObjectStore:
    """Return the object store."""
    return ObjectStore(get_settings())


@lru_cache
def embedder() -> Embedder:
    """Return what embeds chunks and questions."""
    return providers.embedder(get_settings())


@lru_cache
def chat_model() -> ChatModel:
    """Return what writes answers."""
    return providers.chat_model(get_settings())


@lru_cache
def transcriber() -> Transcriber:
    """Return what turns speech into text."""
    return providers.transcriber(get_settings())


@lru_cache
def speaker() -> Speaker:
    """Return what turns text into speech."""
    return providers.speaker(get_settings())


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


WARMERS: dict[str, Callable[[], object]] = {
    "extract": _warm_extract,
    "chunk": _warm_chunk,
    "embed": lambda: embedder().embed(["warm"]),
    "retrieve": lambda: embedder().embed(["warm"]),
    "generate": chat_model,
    "transcribe": transcriber,
    "synthesize": lambda: b"".join(speaker().speak("Ready.")) if speaker().name == "local" else speaker(),
}
