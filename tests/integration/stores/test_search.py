"""Search finds what it should, by BM25 as the literature defines it, inside one tenant."""

import re
from collections.abc import Callable
from uuid import UUID

import numpy as np
import psycopg
from rank_bm25 import BM25Okapi
from sqlalchemy import text

from pipelines.ports.models import Calibration
from pipelines.stores.database import operator_session, tenant_session
from pipelines.stores.knowledge import chunks, documents, search

TEXTS = [
    "Battery warranty covers two years for every rented bicycle.",
    "A helmet costs five euros a day; a child seat costs eight euros a day.",
    "Bring the bicycle back before closing time. A late bicycle costs ten euros an hour.",
    "Our workshop repairs punctures while you wait, a bicycle battery by appointment.",
    "Cancel until the evening before and the price is refunded in full.",
]
CALIBRATION = Calibration(midpoint=0.5, slope=10)


def found(tenant_id: UUID, query: str) -> dict[str, float]:
    with tenant_session(tenant_id) as session:
        passages = search.best_words(session, tenant_id, query, 10, phrase_boost=0)
        return {passage.text: passage.bm25 for passage in passages}


def test_scores_are_those_of_a_reference_bm25(library, tenant: UUID, admin: psycopg.Connection) -> None:
    library.store(tenant, TEXTS)
    rows = admin.execute(
        "SELECT chunk_text, array(SELECT l.lexeme FROM unnest(lexemes) l, unnest(l.positions)) FROM document_chunks"
        " WHERE tenant_id = %s ORDER BY chunk_index",
        (tenant,),
    ).fetchall()
    reference = BM25Okapi([lexemes for _, lexemes in rows], k1=1.2, b=0.75)
    # The same formula, with the idf that is never negative (Lucene's): ln(1 + (N - n + 0.5) / (n + 0.5)).
    for term in reference.idf:
        n = sum(term in lexemes for _, lexemes in rows)
        reference.idf[term] = float(np.log(1 + (len(rows) - n + 0.5) / (n + 0.5)))
    for query in ("bicycle battery", "what does a late bicycle cost", "helmets", "refund"):
        terms = [row[0] for row in admin.execute("SELECT lexeme FROM unnest(to_tsvector('english', %s))", (query,))]
        expected = dict(zip([body for body, _ in rows], reference.get_scores(terms), strict=True))
        got = found(tenant, query)
        assert got.keys() == {body for body, score in expected.items() if score > 0}
        for body, score in got.items():
            assert abs(score - expected[body]) < 1e-6


def test_frequencies_keep_step_with_replacing_and_deleting(library, tenant: UUID, admin: psycopg.Connection) -> None:
    kept = library.store(tenant, TEXTS[:2])
    gone = library.store(tenant, TEXTS[2:])
    with tenant_session(tenant) as session:
        assert chunks.forget(session, tenant, [gone]) == 3
        documents.remove(session, gone)
    counted = admin.execute(
        "SELECT l.lexeme, count(*) FROM document_chunks c, unnest(c.lexemes) l WHERE c.doc_id = %s GROUP BY 1", (kept,)
    ).fetchall()
    stored = admin.execute(
        "SELECT lexeme, chunks FROM term_frequencies WHERE tenant_id = %s AND chunks <> 0", (tenant,)
    ).fetchall()
    assert sorted(counted) == sorted(stored)
    assert admin.execute("SELECT chunks FROM corpus_sizes WHERE tenant_id = %s", (tenant,)).fetchone() == (2,)
    models = "SELECT embedding_model, chunks FROM corpus_models WHERE tenant_id = %s"
    assert admin.execute(models, (tenant,)).fetchall() == [("test-model", 2)]


def test_the_nearest_chunks_come_first_with_calibrated_similarity(library, tenant: UUID) -> None:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(50, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    library.store(tenant, [f"text {i}" for i in range(50)], vectors)
    query = vectors[17]
    with tenant_session(tenant) as session:
        passages = search.nearest(session, tenant, query, "test-model", CALIBRATION, 10)
    exact = np.argsort(-(vectors @ query))[:10]
    assert [passage.text for passage in passages] == [f"text {i}" for i in exact]
    expected = CALIBRATION.similarity(np.sort(vectors @ query)[::-1][:10])
    assert np.allclose([passage.similarity for passage in passages], expected, atol=0.01)


def test_models_of_other_widths_are_left_alone(library, tenant: UUID) -> None:
    library.store(tenant, ["eight wide"])
    with tenant_session(tenant) as session:
        assert search.nearest(session, tenant, np.ones(16, np.float32), "another-model", CALIBRATION, 5) == []


def test_neither_search_leaves_the_tenant(library, new_tenant: Callable[[], UUID]) -> None:
    mine, other = new_tenant(), new_tenant()
    library.store(other, ["the secret canary sings"])
    assert found(mine, "secret canary") == {}
    with tenant_session(mine) as session:
        assert search.nearest(session, mine, np.eye(8, dtype=np.float32)[0], "test-model", CALIBRATION, 5) == []
        # Also when the query itself asks for another tenant: row level security has the last word.
        assert search.best_words(session, other, "secret canary", 5) == []
        rows = session.execute(
            text("SELECT * FROM match_document_chunks(CAST(:q AS halfvec), -1, 10, :t)"),
            {"q": "[1,0,0,0,0,0,0,0]", "t": other},
        ).all()
        assert rows == []
        # This one runs as a role that row level security does not stop: it must see to the tenant itself.
        words = text("SELECT * FROM bm25_document_chunks('secret canary', 5, :t)")
        assert session.execute(words, {"t": other}).all() == []
        assert session.execute(words, {"t": None}).all() == []
    with operator_session() as session:
        assert session.execute(words, {"t": other}).all() == []


def test_an_assistants_documents_are_for_that_assistant(library, tenant: UUID, admin: psycopg.Connection) -> None:
    doc_id = library.store(tenant, ["orchid care"])
    library.store(tenant, ["orchid prices"])
    admin.execute("UPDATE document_chunks SET assistant_key = 'gardener' WHERE doc_id = %s", (doc_id,))
    with tenant_session(tenant) as session:
        for key, expected in (("gardener", {"orchid care", "orchid prices"}), ("cook", {"orchid prices"})):
            passages = search.best_words(session, tenant, "orchid", 5, key)
            assert {passage.text for passage in passages} == expected


def test_a_query_of_operators_is_only_words(library, tenant: UUID) -> None:
    library.store(tenant, TEXTS)
    for query in ("bicycle & !battery | ((", "'; DROP TABLE documents; --", "<-> :* \\", "", "🙂 \x01", "%s :name"):
        assert isinstance(found(tenant, re.sub("\x00", "", query)), dict)
