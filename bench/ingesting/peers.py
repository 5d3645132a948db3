"""Peers run by an interpreter of their own, in a database of their own beside AURA's."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from deploy.ephemeral import Stack
from deploy.places import REPO, places, secret

PEERS = {"llama_index": "LlamaIndex", "haystack": "Haystack"}
PYTHON = REPO / ".venv-peers" / "bin" / "python"
WITHIN_S = 3600


@dataclass(frozen=True)
class Ran:
    """Seconds of a peer's work and of its processors, and the chunks that it made."""

    seconds: float
    cpu_s: float
    chunks: int


def are_here() -> bool:
    """Return whether the peers are installed; says so where they are not."""
    if not PYTHON.exists():
        print("The peers are not installed (`make bench-peers`); going on without them.\n")
    return PYTHON.exists()


def ingest_files(stack: Stack, peer: str, embedder: str, files: Sequence[Path], workers: int) -> Ran:
    """Return how a peer takes in files, stored in the stack's Postgres."""
    return _run(
        [peer, "--embedder", embedder, "--database", _database(stack), f"--workers={workers}", "--files", *files]
    )


def ingest_texts(stack: Stack | None, peer: str, embedder: str, texts: Sequence[str]) -> Ran:
    """Return how a peer takes in texts in one process, stored in the stack's Postgres or in its memory."""
    stored = ["--database", _database(stack)] if stack else []
    return _run([peer, "--embedder", embedder, *stored], json.dumps(list(texts)))


def _run(arguments: Sequence[str | Path], given: str | None = None) -> Ran:
    command = [str(PYTHON), str(REPO / "bench" / "peers" / "run.py"), *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return Ran(found["seconds"], found["cpu_s"], found["chunks"])


def _database(stack: Stack) -> str:
    """Return the address of an empty database on the stack's Postgres."""
    address = urlsplit(stack.runtime()["AURA_DATABASE_URL"].replace("+psycopg", ""))
    password, _ = secret(places(stack.data_dir), "postgres_password")
    place = f"postgres:{password}@{address.hostname}:{address.port}"
    with psycopg.connect(urlunsplit(("postgresql", place, "/postgres", "", "")), autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS peers WITH (FORCE)"))
        admin.execute(sql.SQL("CREATE DATABASE peers"))
    return urlunsplit(("postgresql", place, "/peers", "", ""))
