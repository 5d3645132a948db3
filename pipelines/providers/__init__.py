"""The providers: one table from kind and name to maker, and what is offered here.

Importing this imports no SDK and no model library: a maker is named by its path and looked up when its
provider is asked for, so that the web process can say what is offered without the memory of offering it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pkgutil import resolve_name
from typing import Any, Literal, TypeAlias, cast

from pipelines.ports.models import ChatModel, Embedder
from pipelines.ports.sound import Speaker, Transcriber
from pipelines.providers import weights
from pipelines.providers.servers import (
    CHAT,
    CUSTOM,
    ELEVENLABS_MODEL,
    EMBEDDING,
    GROK,
    GROQ,
    OPENAI,
    SPEECH,
    TRANSCRIPTION,
    WIDTHS,
    Server,
    Work,
)
from schemas.errors.requests import NotOffered
from schemas.settings import Settings

ELEVENLABS_VOICE = re.compile(r"[A-Za-z0-9]{20}")
"""What their ids of voices look like."""

Kind: TypeAlias = Literal["chat", "embedder", "transcriber", "speaker"]


@dataclass(frozen=True)
class Provider:
    """One row: `lacks` says what keeps it from being offered, as a sentence, and is empty where nothing does.

    `has_voice` says of a speaker whether a voice is known to be one of its own.
    """

    kind: Kind
    name: str
    make: Callable[[Settings], Any]
    lacks: Callable[[Settings], str]
    model: Callable[[Settings], str]
    local: bool = False
    has_voice: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True)
class Offer:
    """Whether a provider can be used here, why not, and whether it is the one that is used."""

    kind: Kind
    name: str
    model: str
    offered: bool
    why_not: str
    local: bool
    chosen: bool


def _late(path: str, *given: object) -> Callable[[Settings], Any]:
    """Return a maker that imports the module of `path` (`module:function`) only when it is called."""

    def make(settings: Settings) -> Any:
        return resolve_name(path)(*given, settings)

    return make


def _local(kind: Kind, module: str, model: str, *needs: str, voices: tuple[str, ...] = ()) -> Provider:
    """Return the row of a model that runs here; `needs` are its weights."""

    def lacks(settings: Settings) -> str:
        return next(filter(None, map(weights.missing, needs)), "")

    make = _late(f"pipelines.providers.local.{module}:make")
    return Provider(kind, "local", make, lacks, lambda _: model, local=True, has_voice=voices.__contains__)


def _remote(kind: Kind, server: Server, work: Work, maker: str) -> Provider:
    """Return the row of a server that speaks OpenAI's format."""
    make = _late(f"pipelines.providers.{maker}", server)
    lacks, model = partial(server.lacks, work), partial(server.model, work)
    return Provider(kind, server.name, make, lacks, model, has_voice=server.speech.voices.__contains__)


TABLE = (
    *(_remote("chat", server, CHAT, "openai_compatible:chat") for server in (OPENAI, GROK, GROQ, CUSTOM)),
    _local("chat", "extractive", "extractive"),
    *(_remote("embedder", server, EMBEDDING, "openai_compatible:embedder") for server in (OPENAI, CUSTOM)),
    _local("embedder", "minilm", "all-MiniLM-L6-v2", "minilm"),
    *(
        _remote("transcriber", server, TRANSCRIPTION, "openai_listening:transcriber")
        for server in (OPENAI, GROQ, CUSTOM)
    ),
    _local("transcriber", "whisper", "whisper-base", "whisper-base"),
    Provider(
        "speaker",
        "elevenlabs",
        _late("pipelines.providers.elevenlabs:make"),
        lambda settings: "" if settings.elevenlabs_api_key else "ELEVENLABS_API_KEY is not set.",
        lambda settings: settings.speech_model or ELEVENLABS_MODEL,
        has_voice=lambda voice: ELEVENLABS_VOICE.fullmatch(voice) is not None,
    ),
    *(_remote("speaker", server, SPEECH, "openai_speech:speaker") for server in (OPENAI, GROQ, CUSTOM)),
    _local("speaker", "piper", "piper-joe", "piper-joe", voices=("joe",)),
)
"""In the order in which `auto` prefers them: the first that is offered; what is local comes last."""

_FIELDS = {
    "chat": ("chat_provider", "chat_model"),
    "embedder": ("embedder", "embedding_model"),
    "transcriber": ("transcriber", "transcription_model"),
    "speaker": ("speaker", "speech_model"),
}
"""The settings that name what does a kind of work, and its model."""


def chat_model(settings: Settings) -> ChatModel:
    """Return what writes answers. Raises NotOffered."""
    return cast(ChatModel, _make("chat", settings))


def answering(settings: Settings) -> list[Offer]:
    """Return what may write answers by these settings: one that is named, or all where none is, and what runs here.

    Nothing is loaded or called. Raises NotOffered where the named one is not set up.
    """
    name = chosen("chat", settings)
    found = {offer.name: offer for offer in _offers(settings, "chat", name)}
    if name not in found or not found[name].offered:
        _make("chat", settings)
    named = settings.chat_provider != "auto"
    return [
        replace(offer, model=_model_of("chat", offer.name, settings))
        for offer in found.values()
        if offer.name == name or (offer.offered and (settings.chat_fallback if offer.local else not named))
    ]


@lru_cache(maxsize=64)
def lined(kind: Literal["transcriber", "speaker"], settings: Settings) -> tuple[Offer, ...]:
    """Return what listens or speaks by these settings, best first: those that are named, or all that are set up
    where that is `auto`, and what runs here, which comes last unless it is named.

    Nothing is loaded or called. It is remembered, as to look for packages takes longer than all else that comes
    before a call. Raises NotOffered where there is none.
    """
    first = chosen(kind, settings)
    found = {offer.name: offer for offer in _offers(settings, kind, first) if offer.offered}
    named = _named(kind, settings)
    names = [name for name in named if name in found] if named else [name for name in found if not found[name].local]
    if settings.voice_fallback or (not names and not named):
        names += [name for name in found if found[name].local and name not in names]
    if not names:
        _make(kind, settings)
    return tuple(replace(found[name], model=_model_of(kind, name, settings)) for name in names)


def has_voice(speaker: str, voice_id: str) -> bool:
    """Return whether a voice is known to be one of this speaker's own."""
    return any(row.has_voice(voice_id) for row in TABLE if row.kind == "speaker" and row.name == speaker)


def naming(provider: str, settings: Settings, kind: Kind = "chat") -> Settings:
    """Return the settings by which `provider` does its work; a model that is set is that of the chosen one alone."""
    name, model = _FIELDS[kind]
    own = getattr(settings, model) if provider == chosen(kind, settings) else ""
    return settings.model_copy(update={name: provider, model: own})


def _model_of(kind: Kind, name: str, settings: Settings) -> str:
    row = next(row for row in TABLE if row.kind == kind and row.name == name)
    return row.model(naming(name, settings, kind))


def embedder(settings: Settings) -> Embedder:
    """Return what embeds texts. Raises NotOffered."""
    return cast(Embedder, _make("embedder", settings))


def embedding_model(settings: Settings) -> str:
    """Return the model that embeds by these settings, empty where only its server knows."""
    name = chosen("embedder", settings)
    return next((row.model(settings) for row in TABLE if row.kind == "embedder" and row.name == name), "")


def making(model: str, settings: Settings) -> Settings:
    """Return the settings by which vectors of `model` can be made here, whatever embeds now.

    What runs here comes first, then the server whose model it is, then a server of one's own: it may have any.
    Raises NotOffered.
    """
    if model == embedding_model(settings):
        return settings
    for row in sorted((row for row in TABLE if row.kind == "embedder"), key=lambda row: not row.local):
        tried = settings.model_copy(update={"embedder": row.name, "embedding_model": "" if row.local else model})
        has_it = row.model(tried) == model and (row.name != OPENAI.name or model in WIDTHS)
        if has_it and not row.lacks(tried):
            return tried
    raise NotOffered(f"Nothing that is set up here embeds by {model}.")


def embedder_of(model: str, settings: Settings) -> Embedder:
    """Return what makes vectors of `model`, whatever embeds now. Raises NotOffered."""
    return embedder(making(model, settings))


def transcriber(settings: Settings) -> Transcriber:
    """Return what turns speech into text. Raises NotOffered."""
    return cast(Transcriber, _make("transcriber", settings))


def speaker(settings: Settings) -> Speaker:
    """Return what turns text into speech. Raises NotOffered."""
    return cast(Speaker, _make("speaker", settings))


def offers(settings: Settings) -> list[Offer]:
    """Return every provider, kind by kind, without loading or calling any."""
    kinds: tuple[Kind, ...] = ("chat", "embedder", "transcriber", "speaker")
    return [offer for kind in kinds for offer in _offers(settings, kind, chosen(kind, settings))]


def _offers(settings: Settings, kind: Kind, chosen_one: str) -> list[Offer]:
    found = []
    for row in TABLE:
        if row.kind == kind:
            why_not = row.lacks(settings)
            model = row.model(settings)
            found.append(Offer(kind, row.name, model, not why_not, why_not, row.local, chosen=row.name == chosen_one))
    return found


def chosen(kind: Kind | str, settings: Settings) -> str:
    """Return the name that is set, the first of several; `auto` is the first that is offered, local where none is."""
    named = _named(kind, settings)
    if named:
        return named[0]
    return next((row.name for row in TABLE if row.kind == kind and not row.lacks(settings)), "local")


def _named(kind: Kind | str, settings: Settings) -> list[str]:
    """Return the names that are set, in their order; none where that is `auto`."""
    names = [name.strip() for name in str(getattr(settings, _FIELDS[kind][0])).split(",") if name.strip()]
    return [] if names in ([], ["auto"]) else list(dict.fromkeys(names))


def _make(kind: Kind, settings: Settings) -> Any:
    name = chosen(kind, settings)
    rows = {row.name: row for row in TABLE if row.kind == kind}
    if name not in rows:
        raise NotOffered(f"There is no {kind} provider called {name!r}; there are {', '.join(rows)}.")
    lacking = rows[name].lacks(settings)
    if lacking:
        raise NotOffered(f"The {kind} provider {name} is not set up. {lacking}")
    return rows[name].make(settings)
