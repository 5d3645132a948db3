"""Everything a tenant owns as one zip archive, written while it is read: nothing of its size is held.

The tables are those of one moment (a REPEATABLE READ snapshot), the objects those found afterwards.
Memory grows by about a kilobyte for each entry, as the directory at a zip's end names them all.
"""

import base64
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Dialect, LargeBinary, Table, TypeDecorator, func, select

from pipelines.stores.database import tenant_session
from pipelines.stores.objects import ObjectStore
from pipelines.stores.organisation.tenant_tables import tenant_tables
from schemas.errors.requests import NotFound
from schemas.tables.base import HalfVector
from schemas.tables.tenancy import Tenant

FORMAT, VERSION = "aura-tenant-export", 1
ROWS_A_FETCH = 200
OUT_BYTES = 1 << 16
"""Compressed bytes that are collected before they are sent on."""

ENCODINGS = {
    "tables": "one JSON object a line; times are ISO 8601, numerics decimal strings, bytes base64",
    "document_chunks.embedding": "base64 of little-endian float16, unit length; its model is beside it",
    "document_chunks.lexemes": "Postgres' text form of a tsvector",
}

WITHHELD = {
    "tenants": {"api_keys"},
    "tenant_users": {"password_hash"},
    "refresh_tokens": {"token_hash"},
    "one_time_tokens": {"token_hash"},
    "api_keys": {"key_hash"},
    "idempotency_keys": {"request_hash", "lease_token", "headers", "body"},
    "outgoing_mails": {"sealed"},
    "webhook_endpoints": {"secret_sealed", "previous_secret_sealed", "headers_sealed"},
    "webhook_deliveries": {"lease_token"},
    "document_stages": {"lease_token"},
    "evaluations": {"lease_token"},
    "documents": {"password_sealed"},
    "batches": {"password_sealed", "lease_token"},
    "uploads": {"password_sealed"},
    "chunk_edits": {"lease_token"},
    "turns": {"lease_token"},
    "sentences": {"lease_token"},
}
"""Columns that no archive holds: secrets, what was derived from them, and answers that may carry one."""

LOOKS_SECRET = re.compile(r"password|passw|secret|token|hash|sealed|cipher|private|credential|api_?key|salt|signature")

HARMLESS = {
    "turns": {"input_tokens", "output_tokens"},
    "usage_events": {"input_tokens", "output_tokens"},
    "usage_months": {"input_tokens", "output_tokens"},
    "documents": {"tokens_count"},
    "document_chunks": {"token_count"},
    "conversation_summaries": {"tokens"},
}
"""Columns whose names only look secret. Any other of that look stays out, also before somebody lists it."""


def archive(tenant_id: UUID, objects: ObjectStore) -> Iterator[bytes]:
    """Yield the archive's bytes: `tables/<table>.jsonl`, `objects/<key>`, and at the end `manifest.json`.

    Closing the iterator ends the work. Raises NotFound, StoreUnavailable.
    """
    made = _Archive()
    manifest: dict[str, Any] = {"format": FORMAT, "version": VERSION, "tenant_id": str(tenant_id)}
    with tenant_session(tenant_id) as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        tenant = session.get(Tenant, tenant_id)
        if tenant is None:
            raise NotFound("There is no organisation with this id.")
        manifest |= {"organization_name": tenant.organization_name, "made_at": datetime.now(UTC).isoformat()}
        manifest["tables"] = tables = dict[str, Any]()
        for table in tenant_tables():
            found = session.execute(
                select(*exported(table)).where(table.c.tenant_id == tenant_id),
                execution_options={"yield_per": ROWS_A_FETCH},
            ).mappings()
            tables[table.name] = {"rows": 0, "withheld": sorted(withheld(table))}
            yield from made.entry(f"tables/{table.name}.jsonl", _lines(found, tables[table.name]))
    manifest["objects"] = 0
    for key in objects.listing(str(tenant_id)):
        manifest["objects"] += 1
        yield from made.entry(f"objects/{key.partition('/')[2]}", objects.pieces(key))
    manifest |= {"encodings": ENCODINGS, "entries": made.entries}
    yield from made.entry("manifest.json", [json.dumps(manifest, ensure_ascii=False, indent=1).encode()])
    yield made.end()


def withheld(table: Table) -> set[str]:
    """Return the table's columns that stay out of archives."""
    looking = {column.name for column in table.columns if LOOKS_SECRET.search(column.name)}
    return WITHHELD.get(table.name, set()) | (looking - HARMLESS.get(table.name, set()))


def exported(table: Table) -> list[Any]:
    """Return the table's columns that archives hold."""
    hidden = withheld(table)
    return [
        func.halfvec_send(column, type_=_SentVector).label(column.name)
        if isinstance(column.type, HalfVector)
        else column
        for column in table.columns
        if column.name not in hidden
    ]


class _SentVector(TypeDecorator[str]):
    """A vector in Postgres' binary form, read as `ENCODINGS` says: its text form takes thrice the time."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        # Four bytes of head (the width), then big-endian numbers.
        return base64.b64encode(np.frombuffer(value, ">f2", offset=4).astype("<f2").tobytes()).decode()


class _Archive:
    """A zip file that is handed on while it is written; `entries` says what it holds so far."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self._out = _Outbox()
        # Level 1: most of the bytes are uploads, which hardly shrink.
        self._zip = zipfile.ZipFile(self._out, "w", zipfile.ZIP_DEFLATED, compresslevel=1)

    def entry(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Add an entry and yield what can be sent on. One whose source vanished on the way is marked so."""
        about: dict[str, Any] = {"name": name, "bytes": 0}
        digest = hashlib.sha256()
        with self._zip.open(name, "w", force_zip64=True) as opened:
            try:
                for piece in pieces:
                    opened.write(piece)
                    digest.update(piece)
                    about["bytes"] += len(piece)
                    if self._out.size >= OUT_BYTES:
                        yield self._out.take()
            except NotFound:
                about["incomplete"] = True
        self.entries.append({**about, "sha256": digest.hexdigest()})
        if self._out.size >= OUT_BYTES:
            yield self._out.take()

    def end(self) -> bytes:
        """Return the last bytes."""
        self._zip.close()
        return self._out.take()


class _Outbox(io.RawIOBase):
    """Collects what is written until it is taken; it cannot be sought in, so zipfile never goes back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self.size += len(self._parts[-1])
        return len(self._parts[-1])

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._parts)
        self._parts, self.size = [], 0
        return taken


def _lines(rows: Iterable[Any], about: dict[str, Any]) -> Iterator[bytes]:
    """Yield each row as a line of JSON, counting it in `about`."""
    for row in rows:
        about["rows"] += 1
        yield json.dumps(dict(row), ensure_ascii=False, default=_plain).encode(errors="replace") + b"\n"


def _plain(value: object) -> str:
    """Return what JSON has no form for as a text (`ENCODINGS`)."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in an archive")
