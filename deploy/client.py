"""AURA's public HTTP interface as the demo uses it: upload, ask, listen, speak."""

import io
import json
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from schemas.errors.tree import Permanent


class Client:
    """A client of the stack at `address`. Every method raises Permanent with the server's own sentence."""

    def __init__(self, address: str) -> None:
        # Never through a proxy: the address is this machine's.
        self._http = httpx.Client(base_url=address, timeout=120, trust_env=False)

    def upload(self, path: Path) -> str:
        """Upload a file and return its job's id."""
        with path.open("rb") as file:
            return str(self._json("POST", "/api/documents/upload", files={"file": (path.name, file)})["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return how far a job is."""
        return self._json("GET", f"/api/jobs/{job_id}")

    def ask(self, question: str, assistant_key: str) -> Iterator[dict[str, Any]]:
        """Yield the events of a written question as they come."""
        body = {"message": question, "assistant_key": assistant_key, "stream": True}
        with self._http.stream("POST", "/rag/chat", json=body) as response:
            if response.is_error:
                response.read()
                _check(response)
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    def synthesize(self, text: str) -> tuple[bytes, int]:
        """Return the text spoken: mono PCM16 and its rate in Hz."""
        response = self._http.post("/api/voice/synthesize", json={"text": text}, headers={"Accept": "audio/wav"})
        _check(response)
        with wave.open(io.BytesIO(response.content)) as sound:
            return sound.readframes(sound.getnframes()), sound.getframerate()

    def transcribe(self, path: Path) -> str:
        """Return what is said in a recording."""
        with path.open("rb") as file:
            return str(self._json("POST", "/api/voice/transcribe", files={"file": (path.name, file)})["text"])

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self._http.request(method, path, **options)
        _check(response)
        found: dict[str, Any] = response.json()
        return found


def _check(response: httpx.Response) -> None:
    if response.is_error:
        try:
            problem = response.json()
            raise Permanent(f"{problem['code']}: {problem['detail']}")
        except (ValueError, KeyError):
            raise Permanent(f"{response.request.url.path} answered {response.status_code}.") from None
