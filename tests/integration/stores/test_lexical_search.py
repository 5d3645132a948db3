"""Words are found in their language, with or without accents, in scripts without spaces, and as parts of codes."""

import math
from collections import Counter
from uuid import UUID

import numpy as np
import psycopg
import pytest

from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import chunks, search
from pipelines.stores.knowledge.chunks import Rewritten

GERMAN = "Die Mitglieder dürfen die Häuser des Vereins nutzen und sich dort mit einem Gast treffen."
FRENCH = "Les membres du club peuvent nager dans les piscines et jouer avec un invité à l'hôtel."
ENGLISH = "Members of the club were running in the gardens, and they have to bring their own shoes."


def found(tenant_id: UUID, query: str, **options: float) -> list[str]:
    with tenant_session(tenant_id) as session:
        return [passage.text for passage in search.best_words(session, tenant_id, query, 10, **options)]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("Haus", GERMAN),
        ("Welches Mitglied darf ein Haus nutzen?", GERMAN),
        ("piscine", FRENCH),
        ("hotel", FRENCH),
        ("garden shoe", ENGLISH),
        ("who runs?", ENGLISH),
    ],
)
def test_each_language_has_its_own_stems(library, tenant: UUID, query: str, text: str) -> None:
    for body in (GERMAN, FRENCH, ENGLISH):
        library.store(tenant, [body])
    assert found(tenant, query)[0] == text


def test_languages_are_counted_and_no_more_than_there_are(library, tenant: UUID, admin: psycopg.Connection) -> None:
    library.store(tenant, [ENGLISH, FRENCH])
    gone = library.store(tenant, [GERMAN, GERMAN + " Und nicht nur heute."])
    question = "SELECT language, chunks FROM corpus_languages WHERE tenant_id = %s ORDER BY 1"
    assert admin.execute(question, (tenant,)).fetchall() == [("english", 1), ("french", 1), ("german", 2)]
    with tenant_session(tenant) as session:
        chunks.forget(session, tenant, [gone])
    assert admin.execute(question, (tenant,)).fetchall() == [("english", 1), ("french", 1), ("german", 0)]
    assert found(tenant, "Haus") == []


def test_a_chunk_that_is_rewritten_changes_its_language(library, tenant: UUID) -> None:
    doc_id = library.store(tenant, [ENGLISH])
    with tenant_session(tenant) as session:
        chunks.lock_corpus(session, tenant)
        [chunk] = chunks.listing(session, doc_id, 1)
        written = Rewritten(GERMAN, 9, f"notes.txt\n{GERMAN}", np.eye(8, dtype=np.float16)[0], "test-model")
        chunks.rewrite(session, chunk, written)
    assert found(tenant, "Haus") == [GERMAN]
    assert found(tenant, "garden") == []


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("Grüße", "Viele Grusse"),
        ("Grusse", "Viele Grüße"),
        ("Łukasz", "Lukasz signed"),
        ("cafe", "The cafe\u0301 is open"),
        ("東京", "東京都は日本の首都です"),
        ("日本の首都", "東京都は日本の首都です"),
        ("수도", "대한민국의 수도는 서울이다"),
        ("AB-1234/5", "Order AB-1234/5 today"),
        ("ab12345", "Order AB-1234/5 today"),
        ("1234", "Order AB-1234/5 today"),
        ("AB 1234 5", "Order AB-1234/5 today"),
        ("import", "import/export licence"),
        ("2024-01-31", "signed on 2024-01-31"),
        ("o'brien", "Mr O’Brien came"),
    ],
)
def test_what_is_written_otherwise_is_found(library, tenant: UUID, query: str, text: str) -> None:
    library.store(tenant, [text, "something else altogether", "and a third thing"])
    assert found(tenant, query)[:1] == [text]


def test_a_whole_code_is_better_than_its_parts(library, tenant: UUID) -> None:
    texts = ["Part AB-1235/4 fits.", "Part AB-1234/5 fits.", "5 of 1234 fits AB."]
    library.store(tenant, texts)
    assert found(tenant, "Does AB-1234/5 fit?")[0] == texts[1]


def test_words_that_stand_together_count_more_than_apart(library, tenant: UUID) -> None:
    together, apart = "a winter tyre is sold with the rim", "a tyre for the winter is sold, the rim"
    library.store(tenant, [apart, together, "more of other things"])
    assert found(tenant, "winter tyre")[0] == together
    with tenant_session(tenant) as session:
        plain = search.best_words(session, tenant, "winter tyre", 10, phrase_boost=0)
        boosted = search.best_words(session, tenant, "winter tyre", 10, phrase_boost=1)
    difference = {a.text: b.bm25 - a.bm25 for a in plain for b in boosted if a.chunk_id == b.chunk_id}
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    assert difference == pytest.approx({together: idf, apart: 0}, abs=1e-6)


def test_scores_equal_bm25_worked_out_by_hand_for_random_texts(library, tenant: UUID) -> None:
    """Texts of words that no stemmer changes, some of them very often in one text; questions with repeated words."""
    rng = np.random.default_rng(3)
    words = [f"zq{a}{b}" for a in "xvkw" for b in "xvkwj"]
    texts = [" ".join(rng.choice(words, int(n))) for n in rng.integers(1, 90, 60)]
    texts.append(" ".join([words[0]] * 250))
    library.store(tenant, texts)
    bodies = [Counter(text.split()) for text in texts]
    lengths = [sum(body.values()) for body in bodies]
    average = sum(lengths) / len(lengths)
    for _ in range(20):
        asked = [str(word) for word in rng.choice(words, 4)]
        expected = {}
        for text, body, length in zip(texts, bodies, lengths, strict=True):
            score = 0.0
            for word in set(asked):
                n = sum(word in other for other in bodies)
                idf = math.log(1 + (len(texts) - n + 0.5) / (n + 0.5))
                score += idf * body[word] * 2.2 / (body[word] + 1.2 * (0.25 + 0.75 * length / average))
            expected[text] = score
        with tenant_session(tenant) as session:
            got = search.best_words(session, tenant, " ".join(asked), 100, phrase_boost=0)
        assert {passage.text for passage in got} == {text for text, score in expected.items() if score > 0}
        assert all(abs(passage.bm25 - expected[passage.text]) < 1e-6 for passage in got)
        assert [passage.bm25 for passage in got] == sorted((p.bm25 for p in got), reverse=True)


@pytest.mark.parametrize("word", ["東京都は日本の首都です", "zq{} "])
def test_the_longest_question_is_only_long(library, tenant: UUID, word: str) -> None:
    body = "".join(word.format(i) + chr(0x4E00 + i) for i in range(4_000))
    library.store(tenant, [body[i : i + 2_000] for i in range(0, 16_000, 2_000)])
    assert len(found(tenant, body)) > 1


def test_term_frequencies_are_read_right_up_to_255(admin: psycopg.Connection) -> None:
    wrong = admin.execute(
        "SELECT n FROM generate_series(0, 300) n CROSS JOIN LATERAL (SELECT ('b ' || repeat('a ', n)) AS t) made"
        " WHERE least(n, 255) <>"
        " width_bucket(ts_rank('{1,1,1,1}', to_tsvector('simple', replace(t, 'a', 'x')), 'x')::float, term_ranks())"
    ).fetchall()
    assert wrong == []


def test_common_words_of_a_large_tenant_are_scored_where_they_meet(library, tenant: UUID, monkeypatch) -> None:
    """Of 9,000 chunks with both words, those with the rare one, and those with both, are found with exact scores."""
    texts = [f"bike price {i}" if i % 2 else f"bike {i}" for i in range(9_000)]
    texts[17] = "bike wuzzle"
    for start in range(0, 9_000, 3_000):
        library.store(tenant, texts[start : start + 3_000])
    assert found(tenant, "bike wuzzle price")[0] == "bike wuzzle"
    assert all("price" in text for text in found(tenant, "bike price"))
    assert len(found(tenant, "bike")) == 10
