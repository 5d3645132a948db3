"""A filter limits both searches to the documents that it lets through, exactly or by an index."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest

from pipelines.ports.models import Calibration
from pipelines.ports.passages import KnowledgeFilter
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import search

CALIBRATION = Calibration(midpoint=0.5, slope=10)
OLD, NEW = datetime(2020, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def shelf(library, tenant: UUID, admin: psycopg.Connection) -> dict[str, UUID]:
    """Return documents by their only chunk's text, each with one property of its own."""
    found = {}
    for name, column, value in (
        ("orchid tagged", "metadata", '{"tags": ["garden", "a \\"b\\", c"]}'),
        ("orchid typed", "file_type", "pdf"),
        ("orchid sourced", "source", "training_data"),
        ("orchid old", "created_at", OLD),
        ("orchid odd", "metadata", '{"tags": "garden"}'),
        ("orchid plain", "metadata", '{"tags": null}'),
    ):
        found[name] = library.store(tenant, [name])
        admin.execute("UPDATE documents SET created_at = %s WHERE doc_id = %s", (NEW, found[name]))
        admin.execute(f"UPDATE documents SET {column} = %s WHERE doc_id = %s", (value, found[name]))
    return found


def both(tenant: UUID, **limits: Any) -> set[str]:
    """Return what is found, by words and by vector alike."""
    wanted = KnowledgeFilter(**limits)
    with tenant_session(tenant) as session:
        words = search.best_words(session, tenant, "orchid", 10, None, wanted)
        near = search.nearest(
            session, tenant, np.eye(8, dtype=np.float32)[0], "test-model", CALIBRATION, 10, None, wanted
        )
    assert {passage.text for passage in words} == {passage.text for passage in near}
    return {passage.text.removeprefix("orchid ") for passage in words}


def test_each_limit_lets_through_what_it_should(shelf: dict[str, UUID], tenant: UUID) -> None:
    everything = {name.removeprefix("orchid ") for name in shelf}
    assert both(tenant) == everything
    assert both(tenant, doc_ids=(shelf["orchid plain"], uuid4())) == {"plain"}
    assert both(tenant, tags=("nothing", "garden")) == {"tagged", "odd"}
    assert both(tenant, tags=('a "b", c',)) == {"tagged"}
    assert both(tenant, file_types=("pdf", "docx")) == {"typed"}
    assert both(tenant, sources=("training_data",)) == {"sourced"}
    assert both(tenant, sources=("document_chunks",)) == everything - {"sourced"}
    assert both(tenant, created_before=NEW) == {"old"}
    assert both(tenant, created_after=NEW) == everything - {"old"}
    assert both(tenant, created_after=OLD, created_before=OLD + timedelta(seconds=1)) == {"old"}


def test_all_limits_must_hold(shelf: dict[str, UUID], tenant: UUID) -> None:
    assert both(tenant, file_types=("pdf",), tags=("garden",)) == set()
    assert both(tenant, file_types=("txt",), tags=("garden",), created_after=NEW) == {"tagged", "odd"}
    assert both(tenant, doc_ids=tuple(shelf.values()), sources=("training_data",)) == {"sourced"}


def test_a_passage_tells_its_source(shelf: dict[str, UUID], tenant: UUID) -> None:
    with tenant_session(tenant) as session:
        found = search.best_words(session, tenant, "orchid", 10)
    assert {p.text: p.source for p in found}["orchid sourced"] == "training_data"
    assert {p.source for p in found} == {"training_data", "document_chunks"}


def test_a_filter_does_not_lead_to_another_tenant(shelf: dict[str, UUID], new_tenant: Any) -> None:
    assert both(new_tenant(), doc_ids=tuple(shelf.values())) == set()
