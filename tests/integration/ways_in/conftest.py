"""People who send many files, and what they look at afterwards. No worker runs: tests call their tasks."""

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from tests.integration.people import Person

Files = Sequence[tuple[str, bytes]]


def words(count: int = 1) -> list[tuple[str, bytes]]:
    """Return so many small texts that nobody has sent before."""
    return [(f"note-{number:05d}.txt", f"Note {number} says {uuid4()}.".encode()) for number in range(count)]


class Sender:
    """Somebody of an organisation, who sends files."""

    def __init__(self, person: Person, admin: psycopg.Connection) -> None:
        self.person, self._admin = person, admin
        self.tenant_id = UUID(person.tenant_id)

    def send(self, files: Files, field: str = "files", **fields: Any) -> TestResponse:
        data = {field: [(io.BytesIO(content), name) for name, content in files], **fields}
        return self.person.post("/api/documents/upload", data=data)

    def get(self, path: str) -> Any:
        response = self.person.get(path)
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_json()

    def post(self, path: str, status: int = 200, **body: Any) -> Any:
        response = self.person.post(path, json=body)
        assert response.status_code == status, response.get_data(as_text=True)
        return response.get_json()

    def job(self, job_id: str) -> Any:
        return self.get(f"/api/jobs/{job_id}")

    def totals(self, job_id: str) -> dict[str, int]:
        """Return the totals of a batch that are not zero."""
        counts: dict[str, int] = self.job(job_id)["result"]["totals"]
        return {name: count for name, count in counts.items() if count}

    def items(self, batch_id: str, query: str = "limit=200") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/api/batches/{batch_id}/documents?{query}")["documents"]
        return found

    def set_documents(self, where: str, *values: object, **columns: object) -> None:
        """Change documents as workers would."""
        names = ", ".join(f"{name} = %s" for name in columns)
        self._admin.execute(
            f"UPDATE documents SET {names} WHERE tenant_id = %s AND {where}",  # type: ignore[arg-type]
            (*columns.values(), self.tenant_id, *values),
        )

    def rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        return self._admin.execute(question, values).fetchall()  # type: ignore[arg-type]


@pytest.fixture
def sender(ada: Person, admin: psycopg.Connection) -> Sender:
    """Return the admin of a new organisation."""
    return Sender(ada, admin)


@pytest.fixture
def new_sender(founder: Callable[..., Person], admin: psycopg.Connection) -> Callable[[], Sender]:
    return lambda: Sender(founder(), admin)


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Yield where the application answers over a real socket."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
