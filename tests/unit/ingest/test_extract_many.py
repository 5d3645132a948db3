"""A bundle of small files costs one child, and a bad one among them harms only itself."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from pipelines.ingest import extract as extracting
from pipelines.ingest.elements import Extraction
from pipelines.ingest.extract import Item, extract, extract_many
from pipelines.ingest.formats import text
from schemas.errors.files import Bomb, Damaged, Encrypted
from schemas.errors.uploads import UnsupportedType


def notes(count: int) -> list[Item]:
    return [(f"Note {i} says\n\nthat all is well.".encode(), "txt", f"note_{i}.txt", None) for i in range(count)]


def test_a_bundle_is_what_each_file_is_alone() -> None:
    items: list[Item] = [*notes(5), (b"# Top\n\nword", "md", "a.md", None), (b"a,b\n1,2\n", "csv", "b_c.csv", None)]
    assert extract_many(items) == [extract(data, kind, name) for data, kind, name, _ in items]
    assert extract_many([]) == []


def test_each_bad_file_has_its_own_error() -> None:
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    found = extract_many(
        [*notes(1), (b"{", "json", "a.json", None), (b"x", "odd", "a.odd", None), (ole, "docx", "a", None)]
    )
    assert [type(one) for one in found] == [Extraction, Damaged, UnsupportedType, Encrypted]


@pytest.mark.parametrize("harm", ["crash", "memory", "endless", "bug"])
def test_a_file_that_ends_its_reader_harms_only_itself(monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    monkeypatch.setattr(extracting, "BASE_CPU_S", 1)
    monkeypatch.setattr(extracting, "CPU_S_PER_PAGE", 0)
    monkeypatch.setattr(extracting, "MEMORY_BYTES", 100 << 20)
    honest = text.read

    def read(data: bytes) -> Extraction:
        if data == b"bad":
            if harm == "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            while harm == "endless":
                pass
            if harm == "memory":
                bytearray(1 << 30)
            raise ZeroDivisionError
        return honest(data)

    monkeypatch.setattr(text, "read", read)
    found = extract_many([*notes(3), (b"bad", "txt", "bad.txt", None), *notes(3)])
    assert [isinstance(one, Extraction) for one in found] == [True] * 3 + [False] + [True] * 3
    kind = {"crash": Damaged, "memory": Bomb, "endless": Bomb}.get(harm)
    assert type(found[3]) is kind or (harm == "bug" and "ZeroDivisionError" in str(found[3].__cause__))  # type: ignore[union-attr]


def test_a_hundred_notes_are_read_in_a_moment() -> None:
    def seconds(act: Callable[[], object]) -> float:
        started = time.perf_counter()
        act()
        return time.perf_counter() - started

    extract_many(notes(1))
    # Each the best of five: the machine may do something else meanwhile.
    together = min(seconds(lambda: extract_many(notes(100))) for _ in range(5))
    ((data, kind, name, _),) = notes(1)
    alone = min(seconds(lambda: extract(data, kind, name)) for _ in range(5))
    # One child for all must cost much less than one for each, on any machine.
    assert together < 100 * alone / 4
