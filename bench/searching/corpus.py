"""Many tenants of very different sizes, with chunks that have the structure of real ones.

Vectors: a topic, a narrower subject within it, and noise whose spectrum falls as that of text embeddings does; chunks
of one subject are near each other (cosine 0.6 to 0.8), questions a little less near to the chunk they are about.
Words: a vocabulary with Zipf's frequencies, of which each topic has favourites; questions take words of their chunk,
rare and common, and some that are everywhere.
"""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg import register_vector

WIDTH = 384
MODEL = "bench-384"
WORDS_A_CHUNK = (40, 160)
VOCABULARY = 30_000
TOPICS = 300
CHUNKS_A_DOCUMENT = 40
STOP_WORDS = 30
"""The most frequent words of a language, which its stemmer drops: the vocabulary begins behind them."""


@dataclass(frozen=True)
class Question:
    """What is asked of a tenant, whose chunks it is about."""

    tenant: int
    words: str
    vector: NDArray[np.float32]


@dataclass
class Corpus:
    """Tenants, each with its chunks `starts[i]:starts[i+1]` of `vectors`."""

    sizes: NDArray[np.int64]
    tenants: list[UUID]
    vectors: NDArray[np.float16] = field(repr=False)
    texts: list[str] = field(repr=False)
    shape: "Shape" = field(repr=False)

    @property
    def starts(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self.sizes)])

    def questions(self, count: int, by_size: bool, seed: int) -> list[Question]:
        """Return questions to tenants: each as likely as any other, or as likely as it has chunks."""
        rng = np.random.default_rng(seed)
        likely = self.sizes / self.sizes.sum() if by_size else None
        found = []
        for tenant in rng.choice(len(self.sizes), count, p=likely):
            chunk = int(rng.integers(self.starts[tenant], self.starts[tenant + 1]))
            words = self.texts[chunk].rstrip(".").split()
            asked = [*rng.choice(words, 4), *(self.shape.words[i] for i in rng.integers(0, 100, 1))]
            vector = self.shape.near(self.vectors[chunk].astype(np.float32)[None], rng, 0.75)[0]
            found.append(Question(int(tenant), "what is the " + " ".join(asked) + "?", vector))
        return found


class Shape:
    """How vectors and words are drawn."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        syllables = [a + b for a in "b c d f g h k l m n p r s t v w st br".split() for b in "aeiou"]
        lengths = rng.integers(2, 5, VOCABULARY)
        self.words = ["".join(rng.choice(syllables, length)) for length in lengths]
        frequencies = 1 / np.arange(STOP_WORDS, VOCABULARY + STOP_WORDS)
        self.cumulative = np.cumsum(frequencies / frequencies.sum())
        self.favourites = rng.integers(100, VOCABULARY, (TOPICS, 150))
        self.spectrum = (np.arange(1, WIDTH + 1) ** -0.5).astype(np.float32)
        self.topics = self.noise(TOPICS, rng)

    def noise(self, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        return unit(rng.normal(size=(count, WIDTH)).astype(np.float32) * self.spectrum)

    def near(self, vectors: NDArray[np.float32], rng: np.random.Generator, cosine: float) -> NDArray[np.float32]:
        """Return vectors that have about this cosine with the given ones."""
        away = float(np.sqrt(1 - cosine**2))
        return unit(cosine * vectors + away * self.noise(len(vectors), rng))

    def text(self, topic: int, rng: np.random.Generator) -> str:
        count = int(rng.integers(*WORDS_A_CHUNK))
        drawn = np.searchsorted(self.cumulative, rng.random(count))
        own = rng.random(count) < 0.25
        drawn[own] = rng.choice(self.favourites[topic], int(own.sum()))
        return " ".join([self.words[i] for i in drawn.tolist()])


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the vectors at length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def zipf_sizes(tenants: int, chunks: int, largest: int) -> NDArray[np.int64]:
    """Return falling sizes that follow rank^-s, the first `largest`, with `chunks` in all."""
    ranks = np.arange(1, tenants + 1, dtype=float)
    low, high = 0.01, 4.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if largest * (ranks**-middle).sum() > chunks else (low, middle)
    return np.asarray(np.maximum(np.round(largest * ranks**-low), 1), np.int64)


def make(tenants: int, chunks: int, largest: int, seed: int = 5) -> Corpus:
    """Return a corpus; the same for the same numbers."""
    shape, rng = Shape(seed), np.random.default_rng(seed)
    sizes = zipf_sizes(tenants, chunks, largest)
    vectors, texts = [], []
    for size in sizes:
        # A tenant has some topics of its own, and subjects within them: one for each document.
        topics = rng.integers(0, TOPICS, 1 + size // 200)
        subjects = rng.choice(topics, 1 + size // CHUNKS_A_DOCUMENT)
        centres = shape.near(shape.topics[subjects], rng, 0.7)
        of = np.arange(size) // CHUNKS_A_DOCUMENT
        vectors.append(shape.near(centres[of], rng, 0.8).astype(np.float16))
        texts += [shape.text(int(subjects[subject]), rng) for subject in of]
    return Corpus(sizes, [uuid4() for _ in sizes], np.concatenate(vectors), texts, shape)


def load(admin_url: str, corpus: Corpus) -> None:
    """Copy the corpus into the tables, as if its documents had been stored, and count what BM25 counts."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        register_vector(admin)
        with (
            admin.cursor() as cursor,
            cursor.copy("COPY tenants (tenant_id, organization_name, admin_email) FROM STDIN") as copy,
        ):
            for tenant in corpus.tenants:
                copy.write_row((tenant, str(tenant), str(tenant)))
        admin.execute(
            "CREATE TEMP TABLE incoming"
            " (tenant_id uuid, doc_id uuid, chunk_index int, chunk_text text, embedding halfvec)"
        )
        with admin.cursor() as cursor, cursor.copy("COPY incoming FROM STDIN BINARY") as copy:
            copy.set_types(["uuid", "uuid", "int4", "text", "halfvec"])
            for tenant, start, end in zip(corpus.tenants, corpus.starts, corpus.starts[1:], strict=False):
                for chunk in range(start, end):
                    if (chunk - start) % CHUNKS_A_DOCUMENT == 0:
                        doc_id = uuid4()
                    copy.write_row(
                        (tenant, doc_id, chunk - start, corpus.texts[chunk], HalfVector(corpus.vectors[chunk]))
                    )
        for statement in STORE:
            admin.execute(statement, {"model": MODEL})
        # What autovacuum does by and by after so many inserts.
        admin.execute("VACUUM ANALYZE document_chunks")
        admin.execute("ANALYZE term_frequencies, corpus_models, documents")


STORE = (
    """
    INSERT INTO documents (tenant_id, doc_id, user_id, filename, file_type, file_size, content_sha256, version,
                           processing_status, chunks_count)
    SELECT tenant_id, doc_id, 'bench', doc_id || '.txt', 'txt', 1000, doc_id::text, 1, 'processed', count(*)
    FROM incoming GROUP BY 1, 2
    """,
    """
    INSERT INTO document_chunks (tenant_id, doc_id, version, chunk_index, chunk_text, chunk_type, token_count,
        start_char, end_char, heading_path, boxes, embedding, embedding_model, lexemes, lexeme_count)
    SELECT tenant_id, doc_id, 1, chunk_index, chunk_text, 'general', 100, 0, length(chunk_text), '{}', '[]', embedding,
        %(model)s, lexemes, (SELECT coalesce(sum(cardinality(l.positions)), 0) FROM unnest(lexemes) l)
    FROM (SELECT *, to_tsvector('english', chunk_text) AS lexemes FROM incoming
          ORDER BY md5(doc_id::text), chunk_index) i
    """,
    """
    INSERT INTO term_frequencies
    SELECT tenant_id, l.lexeme, count(*) FROM document_chunks, unnest(tsvector_to_array(lexemes)) AS l (lexeme)
    GROUP BY 1, 2
    """,
    "INSERT INTO corpus_sizes SELECT tenant_id, count(*), sum(lexeme_count) FROM document_chunks GROUP BY 1",
    "INSERT INTO corpus_models SELECT tenant_id, embedding_model, count(*) FROM document_chunks GROUP BY 1, 2",
    "INSERT INTO corpus_languages SELECT tenant_id, language, count(*) FROM document_chunks GROUP BY 1, 2",
)
