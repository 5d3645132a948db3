"""What a run comes to: the peers' figures by the peers' definitions, and where the time went."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from bench.figures import row, table

COLUMNS = (
    *("system", "variant", "sessions", "processes", "overhead p50/p95/p99 ms", "after VAD p50/p95/p99 ms"),
    *("completed", "barge-in p50/p95 ms", "CPU s/turn", "cores", "RSS MiB/session", "others' cores"),
)

WAY = (
    ("speech end + 500 ms → utterance whole (told to the caller)", "speech_end", "speech_stopped", 0.5),
    ("utterance whole → transcription called", "speech_stopped", "stt_call", 0.0),
    ("transcript → chat called", "stt_final", "llm_call", 0.0),
    ("first sentence written → speech called", "sentence_end", "tts_call_0", 0.0),
    ("first sound made → heard by the caller", "tts_first_0", "first_out", 0.0),
)
"""The hops of an answer: name, from, to, and the provider's time in between."""


def summary(found: Mapping[str, Any], work: Any) -> dict[str, Any]:
    """Return the figures of a run; milliseconds unless the name says otherwise."""
    turns = found["turns"]
    counted = [turn for turn in turns if turn["number"] > 1 and turn["speech_end"] is not None]
    done = [turn for turn in counted if turn["first_out"] is not None and not turn["premature"]]
    over = [turn["first_out"] - turn["speech_end"] - work.PROVIDER_S for turn in done]
    told = [turn for turn in done if "speech_stopped" in turn["marks"]]
    after = [turn["first_out"] - turn["marks"]["speech_stopped"] - work.PROVIDER_S + 0.5 for turn in told]
    cuts = barge_ins(turns, work)
    answered = max(1, sum(turn["first_out"] is not None for turn in turns))
    return {
        "turns": len(counted),
        "completed": len(done) / max(1, len(counted)),
        "premature": sum(turn["premature"] for turn in counted),
        "overhead": points(over),
        "after_vad": points(after),
        "barge_in": points(cuts),
        "barge_in_count": [len(cuts), sum(turn["barge_in"] for turn in turns)],
        "cpu_s_per_turn": found["cpu_s"] / answered,
        "cores_used": found["cpu_s"] / found["wall_s"],
        "rss_mb_per_session": (found["memory_mib"][1] - found["memory_mib"][0]) / found["sessions"],
        "other_cores": found["others"],
        "sessions": found["sessions"],
        "faulty": sum(found["faults"].values()) / max(1, found["answers"]),
        "hops": {name: hop(done, first, last, less_s) for name, first, last, less_s in WAY},
    }


def hop(turns: Sequence[Mapping[str, Any]], first: str, last: str, less_s: float) -> list[float]:
    """Return the milliseconds from one instant of a turn to another, without `less_s`."""
    instants = [{**turn["marks"], **{k: turn[k] for k in ("speech_end", "first_out")}} for turn in turns]
    return [1e3 * (one[last] - one[first] - less_s) for one in instants if first in one and last in one]


def barge_ins(turns: Sequence[Mapping[str, Any]], work: Any) -> list[float]:
    """Return, per answer that was cut into, speech start to its last chunk; one that was played out does not count."""
    found = []
    for cut, cutting in pairwise(turns):
        follows = cutting["caller"] == cut["caller"] and cutting["barge_in"] and cut["last_out"] is not None
        if follows and cut["heard_s"] < work.RESPONSE_AUDIO_S - 0.1 and cut["last_out"] > cutting["speech_start"]:
            found.append(cut["last_out"] - cutting["speech_start"])
    return found


def points(values: Sequence[float]) -> list[float] | None:
    """Return [p50, p95, p99] in ms."""
    return [round(1e3 * float(np.percentile(values, q)), 1) for q in (50, 95, 99)] if values else None


def line(system: str, variant: str, processes: int, one: Mapping[str, Any]) -> list[str]:
    """Return a run as a row of the peers' table."""
    stopped, wanted = one["barge_in_count"]
    return [
        *(system, variant, str(one["sessions"]), str(processes), _points(one["overhead"]), _points(one["after_vad"])),
        f"{100 * one['completed']:.1f} % of {one['turns']}",
        f"{_points(one['barge_in'], 2)} ({stopped}/{wanted})",
        f"{one['cpu_s_per_turn']:.2f}",
        f"{one['cores_used']:.2f}",
        f"{one['rss_mb_per_session']:.1f}",
        f"{max(0.0, one['other_cores']):.1f}",
    ]


def whole(rows: Sequence[Sequence[str]]) -> str:
    """Return the table."""
    return table(COLUMNS, rows)


def details(found: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    """Return where the time and the processors went, and what went wrong."""
    turns = max(1, sum(turn["first_out"] is not None for turn in found["turns"]))
    hops = [row(name, values) for name, values in one["hops"].items() if values]
    used = ", ".join(f"{kind} {1e3 * used / turns:.0f}" for kind, used in found["used"].items() if used / turns > 5e-4)
    lines = [
        table(["ms", "p50", "p95", "p99", "max"], [*hops, *_stages(found["waterfalls"])]),
        f"CPU ms/turn: {used}; callers {1e3 * found['callers_s'] / turns:.0f},"
        f" far ends {1e3 * found['far_ends_s'] / turns:.0f}",
        f"answers {found['answers']}, with faulty sound {100 * one['faulty']:.1f} % {found['faults'] or ''},"
        f" failed {found['codes'] or 0}, sockets lost {found['ended'] or 0}, unmarked {found['unmarked']},"
        f" cut off in mid-sentence {found['cut_offs']}, answered before the end {one['premature']}",
        f"caller late p50/p99 {found['late_ms'][0]:.1f}/{found['late_ms'][1]:.1f} ms,"
        f" load {found['load'][0]:.1f} → {found['load'][1]:.1f},"
        f" memory {found['memory_mib'][0]:.0f} → {found['memory_mib'][1]:.0f} MiB",
    ]
    return "\n".join(lines)


def _stages(waterfalls: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    rows = []
    for name in ("transcribe", "retrieve", "generate", "synthesize_0"):
        steps = [one[name] for one in waterfalls if isinstance(one.get(name), dict)]
        for key in ("queued_ms", "run_ms"):
            if steps:
                rows.append(row(f"{name} {key.removesuffix('_ms')}", [step[key] for step in steps]))
    return rows


def _points(values: Sequence[float] | None, count: int = 3) -> str:
    return "/".join(f"{value:.0f}" for value in values[:count]) if values else "–"
