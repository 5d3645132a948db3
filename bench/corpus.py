"""A question set with its paragraphs in memory, ranked as the product ranks: vectors, BM25, fusion."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pipelines.ingest.embed import embed
from pipelines.ports.models import Embedder
from pipelines.ports.passages import Passage
from pipelines.turn.finding import retrieve
from pipelines.turn.finding.fusion import Rankings
from pipelines.turn.wording.words import STOP_WORDS, words

CANDIDATES = 100
K1, B = 1.2, 0.75
SOURCE = "document_chunks"


@dataclass(frozen=True)
class Question:
    """A question, the spellings of its answer (none where it has none), its paragraph and its article.

    `holders` are the paragraphs that are left out where its answer is: its own; of a document whose chunks
    repeat one another, all in which the answer is spelt.
    """

    text: str
    answers: tuple[str, ...]
    paragraph: int
    article: int
    holders: tuple[int, ...]


@dataclass
class Corpus:
    """The paragraphs of a set as chunks: document name, headings, text and vector each, and the questions."""

    texts: list[str]
    titles: list[str]
    headings: list[tuple[str, ...]]
    articles: list[int]
    questions: list[Question]
    embedder: Embedder
    paragraphs: NDArray[np.float32]
    vectors: NDArray[np.float32]

    def passages(self, question: int, count: int, *, without: Sequence[int] = (), alone: bool = False) -> list[Passage]:
        """Return the fused passages for a question.

        The paragraphs `without` are as if they were not there; `alone`, the question's article is all there is.
        """
        cosines = self.paragraphs @ self.vectors[question]
        similarities = self.embedder.calibration.similarity(cosines)
        scores = self.bm25.scores(self.questions[question].text)
        there = np.ones(len(self.texts), bool)
        if alone:
            there = np.array(self.articles) == self.questions[question].article
        there[list(without)] = False
        near = [int(at) for at in np.argsort(-cosines) if there[at]][:CANDIDATES]
        worded = [int(at) for at in np.argsort(-scores) if there[at] and scores[at] > 0][:CANDIDATES]
        rankings = Rankings(
            [self._passage(at, similarity=float(similarities[at])) for at in near],
            [self._passage(at, bm25=float(scores[at])) for at in worded],
        )
        return retrieve.best(rankings, self.questions[question].text, count)

    @cached_property
    def bm25(self) -> "BM25":
        """The paragraphs by their words, those of name and headings too."""
        return BM25([" ".join((*self.headings[at], text)) for at, text in enumerate(self.texts)])

    def _passage(self, at: int, *, similarity: float = 0.0, bm25: float = 0.0) -> Passage:
        return Passage(
            SOURCE,
            at,
            UUID(int=at),
            self.titles[at],
            self.texts[at],
            self.headings[at],
            similarity=similarity,
            bm25=bm25,
        )


class BM25:
    """BM25 over texts (k1 1.2, b 0.75), with the idf that is never negative."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = len(texts)
        self._postings: dict[str, list[tuple[int, int]]] = {}
        lengths = []
        for at, text in enumerate(texts):
            found = Counter(words(text))
            lengths.append(sum(found.values()))
            for word, times in found.items():
                self._postings.setdefault(word, []).append((at, times))
        self._norms = K1 * (1 - B + B * np.array(lengths, np.float32) / (float(np.mean(lengths)) or 1.0))

    def scores(self, question: str) -> NDArray[np.float32]:
        """Return the score of each text, 0 where it has none of the question's words."""
        scores = np.zeros(self._texts, np.float32)
        for word in set(words(question)) - STOP_WORDS:
            postings = self._postings.get(word, [])
            idf = math.log(1 + (self._texts - len(postings) + 0.5) / (len(postings) + 0.5))
            for at, times in postings:
                scores[at] += idf * times * (K1 + 1) / (times + self._norms[at])
        return scores


def load(path: Path, embedder: Embedder, cache: Path | None = None) -> Corpus:
    """Return a set in SQuAD's JSON format. Its vectors are kept in the folder `cache`, where one is named.

    A question with `is_impossible`, or without answers, has none. Beyond SQuAD, a paragraph may have
    `headings`, a list, and an article the name of its `document`.
    """
    texts: list[str] = []
    titles: list[str] = []
    headings: list[tuple[str, ...]] = []
    articles: list[int] = []
    questions: list[Question] = []
    for number, article in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"]):
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                found = [] if asked.get("is_impossible") else [answer["text"] for answer in asked["answers"]]
                holders = [len(texts)]
                if article.get("document"):
                    first = len(texts) - article["paragraphs"].index(paragraph)
                    chunks = enumerate(article["paragraphs"], first)
                    holders += [at for at, other in chunks if any(answer in other["context"] for answer in found)]
                questions.append(Question(asked["question"], tuple(found), len(texts), number, tuple(set(holders))))
            texts.append(paragraph["context"])
            articles.append(number)
            titles.append(article.get("document") or f"p{len(titles):04}.txt")
            headings.append(tuple(paragraph.get("headings", ())))
    whole = [" ".join((*headings[at], text)) for at, text in enumerate(texts)]
    asked_texts = [question.text for question in questions]
    vectors = [_cached(part, embedder, cache) for part in (whole, asked_texts)]
    return Corpus(texts, titles, headings, articles, questions, embedder, vectors[0], vectors[1])


def _cached(texts: Sequence[str], embedder: Embedder, cache: Path | None) -> NDArray[np.float32]:
    if cache is None:
        return embed(texts, embedder)
    digest = blake2b("\0".join((embedder.model, *texts)).encode(), digest_size=16)
    kept = cache / f"{digest.hexdigest()}.npy"
    if kept.exists():
        return np.asarray(np.load(kept), np.float32)
    found = embed(texts, embedder)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(kept, found)
    return found
