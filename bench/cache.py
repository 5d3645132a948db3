"""How long an answer takes at the API that was given before, beside one that is made, with the models that run here.

    python -m bench.cache [--rounds 200]

Both over HTTP, as one JSON answer, one after the other. Before each one that is made the cache is emptied, which
is not timed.
"""

import argparse
import time

import httpx

from bench.figures import load, row, table
from bench.turn import WRITTEN
from deploy.ephemeral import ephemeral_stack
from deploy.places import REPO

LIMIT_MS = 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    args = parser.parse_args()
    with ephemeral_stack() as stack:
        for path in sorted((REPO / "docs" / "samples").iterdir()):
            stack.upload(path.name, path.read_bytes(), wait_s=120)
        before = load()
        made = [asked(stack.client, number, cached=False) for number in range(args.rounds // 4)]
        for number in range(len(WRITTEN)):
            asked(stack.client, number, cached=None)
        kept = [asked(stack.client, number, cached=True) for number in range(args.rounds)]
        streamed = [first_token(stack.client, number) for number in range(args.rounds // 2)]
        statistics = stack.client.get("/api/analytics/cache").json()
        rows = [row("made", made), row("from the cache", kept), row("from the cache, first token (SSE)", streamed)]
        print(table(["ms", "p50", "p95", "p99", "max"], rows))
        print(f"limit {LIMIT_MS:g} ms; load {before} → {load()}")
        print({name: statistics[name] for name in ("exact", "near", "misses", "hit_rate", "saved_ms", "kept")})


def asked(client: httpx.Client, number: int, cached: bool | None) -> float:
    """Return the milliseconds that an answer took; `cached` says where it must come from, None from anywhere."""
    if cached is False:
        client.delete("/api/analytics/cache").raise_for_status()
    began = time.monotonic()
    answer = client.post("/api/chat", json=question(number)).json()
    took_ms = (time.monotonic() - began) * 1e3
    if cached is not None and (answer["cache"]["hit"] == "exact") != cached:
        raise SystemExit(f"{question(number)['message']!r} was answered otherwise: {answer['cache']}")
    return took_ms


def first_token(client: httpx.Client, number: int) -> float:
    """Return the milliseconds until the first token of a streamed answer."""
    began = time.monotonic()
    took_ms = float("nan")
    with client.stream("POST", "/api/chat", json={**question(number), "stream": True}) as response:
        for line in response.iter_lines():
            if line.startswith("data:") and '"turn.token"' in line:
                took_ms = (time.monotonic() - began) * 1e3
    return took_ms


def question(number: int) -> dict[str, object]:
    """Return the body of a question; each goes to a conversation of its own."""
    return {"message": WRITTEN[number % len(WRITTEN)]}


if __name__ == "__main__":
    main()
