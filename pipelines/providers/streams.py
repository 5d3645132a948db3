"""Server-sent events of a chat completion, read without an object for each, which would cost more than all the rest."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx2

from schemas.errors.providers import ProviderUnavailable

DONE = "[DONE]"

MAX_REST_BYTES = 65_536
"""What is read after the end so that the connection can be used again."""


class Reply:
    """A streamed reply: its chunks, each as the dict it is."""

    def __init__(self, http_response: httpx2.Response, label: str) -> None:
        self.http_response = http_response
        self._label, self._rest = label, http_response.iter_lines()
        self._is_done = False

    def chunks(self) -> Iterator[Any]:
        """Yield each chunk until `[DONE]`, or the end. Raises ProviderUnavailable for one that tells of an error,
        ValueError for one that is no JSON, and what the HTTP client raises."""
        for line in self._rest:
            if not line.startswith("data:"):
                continue
            data = line[5:].strip()
            if data == DONE:
                self._is_done = True
                return
            if data:
                chunk = json.loads(data)
                if isinstance(chunk, dict) and chunk.get("error"):
                    raise ProviderUnavailable(f"{self._label} broke off with an error.")
                yield chunk

    def close(self) -> None:
        """Hang up, but for a reply that is done: its connection is kept once its last bytes have come.

        Nobody waits for them: a server may keep them for ever.
        """
        if self._is_done:
            threading.Thread(target=self._drain, name="drains a reply", daemon=True).start()
        else:
            self.http_response.close()

    def _drain(self) -> None:
        try:
            left = MAX_REST_BYTES
            for line in self._rest:
                left -= len(line) + 1
                if left < 0:
                    break
        except (httpx2.HTTPError, ProviderUnavailable):
            pass
        finally:
            self.http_response.close()
