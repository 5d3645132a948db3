"""The waterfall of a turn as a table: what waited, what ran, and when."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

BAR_WIDTH = 40


def waterfall(timings: Mapping[str, Any]) -> Table:
    """Return a row for each stage, in the order they began, and one for each moment that a listener notices.

    Stages are entries with `start_ms`, `queued_ms` and `run_ms`; moments are numbers named `…_ms`.
    All are milliseconds since the turn was accepted.
    """
    stages = {name: times for name, times in timings.items() if isinstance(times, Mapping) and "start_ms" in times}
    moments = {name: float(at) for name, at in timings.items() if isinstance(at, int | float)}
    whole_ms = max([1.0, *(times["start_ms"] + times["run_ms"] for times in stages.values()), *moments.values()])
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("stage", "waited", "ran"):
        table.add_column(heading, justify="left" if heading == "stage" else "right", style="dim", no_wrap=True)
    table.add_column(f"0 … {whole_ms:.0f} ms", no_wrap=True)
    for name, times in sorted(stages.items(), key=lambda item: item[1]["start_ms"]):
        table.add_row(
            name.replace("_", " "), f"{times['queued_ms']:.0f} ms", f"{times['run_ms']:.0f} ms", _bar(times, whole_ms)
        )
    for name, at in sorted(moments.items(), key=lambda item: item[1]):
        table.add_row(name.removesuffix("_ms").replace("_", " "), "", f"at {at:.0f} ms", _mark(at, whole_ms))
    return table


def _bar(times: Mapping[str, float], whole_ms: float) -> str:
    begin = _cell(times["start_ms"] - times["queued_ms"], whole_ms)
    run = _cell(times["start_ms"], whole_ms)
    end = max(run + 1, _cell(times["start_ms"] + times["run_ms"], whole_ms))
    return " " * begin + "[dim]" + "·" * (run - begin) + "[/][cyan]" + "█" * (end - run) + "[/]"


def _mark(at_ms: float, whole_ms: float) -> str:
    return " " * _cell(at_ms, whole_ms) + "[green]▲[/]"


def _cell(at_ms: float, whole_ms: float) -> int:
    return min(BAR_WIDTH - 1, max(0, round(at_ms / whole_ms * BAR_WIDTH)))
