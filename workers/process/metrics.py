"""What this deployment's turns and voice sessions come to, as Prometheus metrics (docs/latency.md).

Each process adds to files of its own in the folder `metrics` of the data folder; `/metrics` of any web process that
sees the folder sums them up. No metric names a tenant: their number would have no bound.
"""

import os
import secrets
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from schemas.settings import get_settings, tell_libraries
from schemas.tables.dialogue import Turn

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)

KNOWN_AT_THE_END = ("endpoint", "first_token", "first_audio")
KNOWN_TO_THE_SESSION = ("first_audio_sent", "first_audio_heard")

GAUGES = {
    "voice_sessions_open": "Voice sessions that are open at this web process.",
    "voice_sessions_limit": "Voice sessions that this web process takes.",
    "sockets_open": "Sockets and event streams that are open at this web process.",
    "queue_messages": "Messages that wait for a worker.",
}


class _Kept:
    """The counters and histograms of this process, kept in files that others can read."""

    def __init__(self) -> None:
        folder()
        # Chosen here and not by the environment at import: by then it is not known where the data folder is.
        values.ValueClass = values.MultiProcessValue(_process)
        own = CollectorRegistry()
        self.turns = Counter("aura_turns", "Turns that have ended.", ["status", "kind"], registry=own)
        self.waited = _times("aura_turn_stage_queue_seconds", "Wait of a turn's stage for a worker.", ["stage"], own)
        self.ran = _times("aura_turn_stage_run_seconds", "Run of a turn's stage.", ["stage", "provider"], own)
        self.moments = _times(
            "aura_turn_moment_seconds",
            "From a turn's acceptance to its first token or sound; endpoint: from the end of speech to the acceptance.",
            ["moment", "provider"],
            own,
        )
        self.answered = _times("aura_speech_to_sound_seconds", "From the end of speech to the first sound.", [], own)
        self.barge_ins = Counter("aura_barge_ins", "Answers that somebody spoke over.", registry=own)
        self.sessions = Counter("aura_voice_sessions", "Voice sessions that were opened.", registry=own)
        self.refusals = Counter("aura_refusals", "Voice sessions that were refused.", ["reason"], registry=own)


def turn(ended: Turn) -> None:
    """Count a turn that has ended, with its waterfall."""
    kept, answered_by = _kept(), ended.provider or ""
    kept.turns.labels(ended.status, "spoken" if ended.spoken else "written").inc()
    for name, value in ended.timings.items():
        if isinstance(value, Mapping):
            _stage(kept, name, value, answered_by)
    sound_ms = ended.timings.get("first_audio_ms", ended.timings.get("audio_0_ms"))
    _moments(kept, KNOWN_AT_THE_END, {**ended.timings, "first_audio_ms": sound_ms}, answered_by)
    speech_end_ms = ended.timings.get("speech_end_ms")
    if _is_number(sound_ms) and _is_number(speech_end_ms):
        kept.answered.observe(max(0.0, (sound_ms - speech_end_ms) / 1e3))


def heard(timings: Mapping[str, Any], answered_by: str = "") -> None:
    """Count what a session knows of its turn's sound: when it was sent and heard, in milliseconds."""
    _moments(_kept(), KNOWN_TO_THE_SESSION, timings, answered_by)


def opened() -> None:
    """Count a voice session that was opened."""
    _kept().sessions.inc()


def refused(reason: str) -> None:
    """Count a voice session that was refused; `reason` is an error's code."""
    _kept().refusals.labels(reason).inc()


def barged_in() -> None:
    """Count an answer that somebody spoke over."""
    _kept().barge_ins.inc()


def exposition(now: Mapping[str, Mapping[tuple[str, ...], float]]) -> bytes:
    """Return all metrics in Prometheus' text format, with gauges as they are `now`.

    A gauge's values are named by the values of its label, `queue` for those of queues; () where it has none.
    """
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder())
    registry.register(_Now(now))  # type: ignore[arg-type]
    return generate_latest(registry)


def folder() -> str:
    """Return where processes write what they count; it is made."""
    path = Path(get_settings().data_dir).resolve() / "metrics"
    path.mkdir(parents=True, exist_ok=True)
    # The library reads it there, and a forked worker begins with another environment.
    tell_libraries(PROMETHEUS_MULTIPROC_DIR=str(path))
    return str(path)


class _Now:
    """Gauges that are read when they are asked for."""

    def __init__(self, now: Mapping[str, Mapping[tuple[str, ...], float]]) -> None:
        self._now = now

    def collect(self) -> Any:
        for name, found in self._now.items():
            family = GaugeMetricFamily(f"aura_{name}", GAUGES[name], labels=["queue"] if any(found) else [])
            for label, value in found.items():
                family.add_metric(label, value)
            yield family


def _kept() -> _Kept:
    return _kept_by(os.getpid())


@lru_cache(maxsize=1)
def _kept_by(_: int) -> _Kept:
    """Return what this process counts in: a fork counts anew, in files of its own."""
    return _Kept()


@lru_cache(maxsize=1)
def _named(pid: int) -> str:
    # By chance too: containers that share the folder have the same process ids.
    return f"{pid}-{secrets.token_hex(4)}"


def _process() -> str:
    return _named(os.getpid())


def _times(name: str, about: str, labels: Sequence[str], registry: CollectorRegistry) -> Histogram:
    return Histogram(name, about, labels, buckets=SECONDS, registry=registry)


def _stage(kept: _Kept, name: str, times: Mapping[str, Any], answered_by: str) -> None:
    before, _, number = name.rpartition("_")
    stage = before if number.isdigit() else name
    provider = times.get("provider") or (answered_by if stage == "generate" else "")
    if _is_number(waited_ms := times.get("queued_ms")):
        kept.waited.labels(stage).observe(max(0.0, waited_ms / 1e3))
    if _is_number(ran_ms := times.get("run_ms")):
        kept.ran.labels(stage, str(provider)).observe(max(0.0, ran_ms / 1e3))


def _moments(kept: _Kept, names: Sequence[str], timings: Mapping[str, Any], answered_by: str) -> None:
    for name in names:
        if _is_number(at_ms := timings.get(f"{name}_ms")):
            kept.moments.labels(name, answered_by).observe(max(0.0, at_ms / 1e3))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
