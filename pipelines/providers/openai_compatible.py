"""Chat and embeddings by any server that speaks OpenAI's wire format (rows in `servers`), and what all calls share.

The SDK retries nothing here: it would sleep through a Retry-After of up to a minute unseen, while the
caller knows better whether to wait or to ask another provider. The time-outs bound connecting and
every silence, also the one between two pieces of an answer.
"""

import math
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

import httpx2
import numpy as np
import openai
from numpy.typing import NDArray

from pipelines.ports.models import Calibration, Delta, Prompt, Usage
from pipelines.providers import bounded, calibration, messages, streams, vectors
from pipelines.providers.refusals import refusal
from pipelines.providers.servers import CHAT, EMBEDDING, PRICES, WIDTHS, Price, Server, Work
from schemas.errors.providers import ProviderUnavailable
from schemas.errors.requests import NotOffered
from schemas.settings import Settings

LONGEST_REPLY_S = 180.0
"""Seconds after which the body of any reply is given up, however lively it is: more than an answer may take."""

CHARS_PER_TOKEN = 4
"""OpenAI's rule of thumb, for servers that do not say what an answer used."""


class Remote:
    """A connection to one server for one kind of work."""

    def __init__(self, server: Server, work: Work, settings: Settings) -> None:
        """Connect lazily. Raises NotOffered where a key or an address is missing."""
        lacking = server.lacks(work, settings)
        if lacking:
            raise NotOffered(f"{server.label} is not set up: {lacking}")
        self.name = server.name
        self._label = server.label
        self._timeout_s = settings.provider_timeout_s
        self._model = server.model(work, settings)
        timeout = openai.Timeout(self._timeout_s, connect=settings.provider_connect_s)
        hooks = {"response": [bounded.limited(self._label, LONGEST_REPLY_S)]}
        self._client = openai.OpenAI(
            # A server of one's own may want no key, but the SDK does.
            api_key=server.key(settings) or "none",
            base_url=server.address(work, settings),
            timeout=timeout,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(
                timeout=timeout, event_hooks=hooks, limits=httpx2.Limits(**bounded.CONNECTIONS)
            ),
        )

    @property
    def model(self) -> str:
        """Return the model; a server of one's own is asked once for the first it lists where none is set."""
        if not self._model:
            with self._errors():
                listed = [found.id for found in self._client.models.list().data]
            if not listed:
                raise NotOffered(f"{self._label} lists no model; set one.")
            self._model = listed[0]
        return self._model

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the SDK raises into our errors."""
        try:
            yield
        except openai.APIStatusError as error:
            message = error.message if isinstance(error.body, dict) else ""
            raise refusal(
                self._label, error.status_code, error.response.headers, message, error.code or error.type or ""
            ) from error
        # The SDK lets what happens while a body is read through as it is.
        except (openai.APITimeoutError, httpx2.TimeoutException) as error:
            raise ProviderUnavailable(f"{self._label} was silent for {self._timeout_s:g} s.") from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            raise ProviderUnavailable(f"{self._label} cannot be reached, or hung up.") from error
        except openai.APIError as error:
            raise ProviderUnavailable(f"{self._label} broke off with an error.") from error
        # The SDK builds its objects without checking them: a reply of another shape shows only when it is read.
        except (ValueError, AttributeError, TypeError, LookupError) as error:
            raise ProviderUnavailable(f"{self._label} answered something that is not in OpenAI's format.") from error


class RemoteChat(Remote):
    """Writes answers of at most `answer_tokens` tokens, so that what is held for one is enough."""

    def __init__(self, server: Server, work: Work, settings: Settings) -> None:
        super().__init__(server, work, settings)
        self._limit = {server.limit_field: settings.answer_tokens}
        # What it needs is loaded now, and not while somebody waits for the first answer.
        self._completions = self._client.chat.completions.with_streaming_response

    def answer(self, prompt: Prompt) -> "Answer":
        """Return the answer as it comes: its pieces, then one `Usage`.

        It raises ProviderUnavailable, also for an answer that is cut short, RateLimited, or NotOffered.
        """
        return Answer(self, prompt)

    def read(self, prompt: Prompt, answer: "Answer") -> Iterator[Delta]:
        """Yield the pieces and the `Usage` of an `answer`."""
        asked = messages.render(prompt)
        said, ended = 0, ""
        used: tuple[int, int] | None = None
        with self._errors(), self._asked(asked) as reply:
            answer.response = reply.http_response
            for chunk in reply.chunks():
                text, reason, counted = _read(chunk)
                ended = reason or ended
                used = counted or used
                if text:
                    said += len(text)
                    yield text
        if not ended:
            raise ProviderUnavailable(f"{self._label} stopped in the middle of its answer.")
        if not said:
            raise ProviderUnavailable(f"{self._label} answered nothing.")
        usage = used or (_tokens(sum(len(m["content"]) for m in asked)), _tokens(said))
        cost = PRICES.get(self.model, Price()).of_tokens(*usage)
        yield Usage(self.name, self.model, *usage, cost_usd=cost, complete=ended != "length")

    @contextmanager
    def _asked(self, asked: Any) -> Iterator[streams.Reply]:
        """Ask, and read to the end what answers, so that the connection serves the next question as well."""
        asking = self._completions.create(
            model=self.model,
            # As they are: the SDK would look at every field of every message again.
            messages=(),
            stream=True,
            extra_body={"messages": asked, "stream_options": {"include_usage": True}, **self._limit},
        )
        reply = streams.Reply(asking.__enter__().http_response, self._label)
        try:
            yield reply
        finally:
            reply.close()


class Answer(Iterator[Delta]):
    """An answer that is being read. It may be closed by another thread than the one that reads it."""

    def __init__(self, model: RemoteChat, prompt: Prompt) -> None:
        self.response: Any = None
        self._deltas = model.read(prompt, self)

    def __next__(self) -> Delta:
        return next(self._deltas)

    def close(self) -> None:
        """End the call at the provider, also while somebody waits for its next piece."""
        try:
            cast(Any, self._deltas).close()
        except ValueError:  # Another thread is reading.
            self._hang_up()

    def _hang_up(self) -> None:
        stream = self.response.extensions.get("network_stream") if self.response is not None else None
        connection = stream.get_extra_info("socket") if stream is not None else None
        if connection is not None:
            with suppress(OSError):
                # Of the plain socket: an encrypted one would take its state from under the thread that reads it.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


class RemoteEmbedder(Remote):
    """Embeds texts."""

    batch_size = 100

    def __init__(self, server: Server, work: Work, settings: Settings) -> None:
        super().__init__(server, work, settings)
        self._width = WIDTHS.get(self._model, 0)

    @property
    def width(self) -> int:
        """Return the width of the vectors; of an unknown model it is learned from its first reply."""
        if not self._width:
            self.embed(["width"])
        return self._width

    @property
    def calibration(self) -> Calibration:
        """Return the model's calibration."""
        return calibration.of(self.model)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (len(texts), width), in the order of `texts`; 100 texts a request.

        Raises ProviderUnavailable, also where a vector is missing or of another width, RateLimited, NotOffered, or
        InputTooLong where the server cannot read so much at once.
        """
        batches = [self._batch(texts[start : start + self.batch_size]) for start in range(0, len(texts), 100)]
        return np.concatenate(batches) if batches else np.empty((0, self.width), np.float32)

    def _batch(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with self._errors():
            # An empty text is refused by OpenAI, a blank is not.
            asked = [text or " " for text in texts]
            # The SDK's own object for each vector takes longer to build than all that we do with it.
            reply = self._client.embeddings.with_raw_response.create(model=self.model, input=asked)
            found = vectors.read(reply.content, len(texts))
            if self._width and found.shape[1] != self._width:
                raise ValueError("vectors of another width")
        self._width = found.shape[1]
        return found


def chat(server: Server, settings: Settings) -> RemoteChat:
    """Return the chat model of `server`."""
    return RemoteChat(server, CHAT, settings)


def embedder(server: Server, settings: Settings) -> RemoteEmbedder:
    """Return the embedder of `server`."""
    return RemoteEmbedder(server, EMBEDDING, settings)


def _read(chunk: Any) -> tuple[str, str, tuple[int, int] | None]:
    """Return a chunk's text, why it ends the answer (empty where it goes on), and the tokens (in, out) it counts."""
    usage = chunk.get("usage")
    counted = (int(usage["prompt_tokens"]), int(usage["completion_tokens"])) if usage else None
    if not chunk.get("choices"):
        return "", "", counted
    choice = chunk["choices"][0]
    text = (choice.get("delta") or {}).get("content") or ""
    if not isinstance(text, str):
        raise TypeError("no text")
    return text, choice.get("finish_reason") or "", counted


def _tokens(characters: int) -> int:
    return math.ceil(characters / CHARS_PER_TOKEN)
