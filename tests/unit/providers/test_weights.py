"""Weights are joined once, checked before use, and told apart from what only looks like them."""

import hashlib
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.providers import weights
from pipelines.providers.weights import WeightFile, Weights
from schemas.errors.requests import NotOffered

PARTS = (b"first half, " * 5000, b"second half. " * 5000)
SETTINGS = b'{"width": 4}'

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a maker of a package `package_of_weights` that holds files."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(**files: bytes) -> Path:
        folder = tmp_path / "package_of_weights"
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return folder

    return make


def model(*, gathered: bool = True, package: str = "package_of_weights") -> Weights:
    whole = hashlib.sha256(b"".join(PARTS) if gathered else PARTS[0]).hexdigest()
    names = ("part1", "part2") if gathered else ("part1",)
    files = (
        WeightFile("model.bin", whole, tuple(f"{package}/{name}" for name in names)),
        WeightFile("config", hashlib.sha256(SETTINGS).hexdigest(), (f"{package}/config",)),
    )
    return Weights("some-model", files, "upstream", "MIT", ("package-of-weights",), gathered=gathered)


def test_parts_are_joined_in_order(install: Install, tmp_path: Path) -> None:
    install(part1=PARTS[0], part2=PARTS[1], config=SETTINGS)
    folder = weights.check(model(), tmp_path / "cache")
    assert (folder / "model.bin").read_bytes() == b"".join(PARTS)
    assert (folder / "config").read_bytes() == SETTINGS


def test_what_needs_no_joining_is_read_where_it_is(install: Install, tmp_path: Path) -> None:
    folder = install(part1=PARTS[0], config=SETTINGS)
    assert weights.check(model(gathered=False), tmp_path / "cache") == folder / "part1"


@pytest.mark.parametrize("gathered", [True, False])
def test_another_file_is_refused_and_not_kept(gathered: bool, install: Install, tmp_path: Path) -> None:
    install(part1=PARTS[0][:-1] + b"!", part2=PARTS[1], config=SETTINGS)
    cache = tmp_path / "cache"
    for _ in range(2):
        with pytest.raises(NotOffered, match=r"part1|model\.bin") as caught:
            weights.check(model(gathered=gathered), cache)
        assert "package-of-weights" in caught.value.detail
    assert not (cache / "some-model" / "model.bin").exists()
    assert not list(cache.rglob("*.joining"))


def test_a_checked_file_is_not_read_again(install: Install, tmp_path: Path) -> None:
    path = install(part1=PARTS[0], config=SETTINGS) / "part1"
    cache = tmp_path / "cache"
    weights.check(model(gathered=False), cache)
    stat = path.stat()
    path.write_bytes(PARTS[0][::-1])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert weights.check(model(gathered=False), cache) == path, "same size and time: trusted without a hash"


def test_a_file_that_changed_since_is_checked_again(install: Install, tmp_path: Path) -> None:
    path = install(part1=PARTS[0], config=SETTINGS) / "part1"
    cache = tmp_path / "cache"
    weights.check(model(gathered=False), cache)
    path.write_bytes(PARTS[0][::-1])
    os.utime(path, ns=(1, 1))
    with pytest.raises(NotOffered):
        weights.check(model(gathered=False), cache)


def test_a_damaged_copy_is_joined_anew(install: Install, tmp_path: Path) -> None:
    install(part1=PARTS[0], part2=PARTS[1], config=SETTINGS)
    cache = tmp_path / "cache"
    joined = weights.check(model(), cache) / "model.bin"
    joined.write_bytes(b"cut short")
    joined.with_suffix(".joining").write_bytes(b"left by a process that was killed")
    weights.check(model(), cache)
    assert joined.read_bytes() == b"".join(PARTS)


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotOffered, match="package-of-weights"):
        weights.check(model(package="package_nobody_has"), tmp_path / "cache")


def joins(cache: str) -> str:
    return hashlib.sha256((weights.check(model(), Path(cache)) / "model.bin").read_bytes()).hexdigest()


def test_several_processes_at_once_all_get_the_whole_file(install: Install, tmp_path: Path) -> None:
    install(part1=PARTS[0], part2=PARTS[1], config=SETTINGS)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        found = pool.map(joins, [str(tmp_path / "cache")] * 8)
    assert set(found) == {model().files[0].sha256}


def test_every_row_says_where_it_comes_from() -> None:
    for row in weights.TABLE:
        assert row.upstream.startswith("https://")
        assert row.licence in {"Apache-2.0", "MIT", "CC0-1.0"}
        assert all(len(file.sha256) == 64 for file in row.files)


def test_the_installed_models_are_the_known_ones(tmp_path: Path) -> None:
    weights.verify_all(tmp_path)
    assert (tmp_path / "whisper-base" / "model.bin").stat().st_size == 145_217_532
