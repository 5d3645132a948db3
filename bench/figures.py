"""Figures of a benchmark: percentiles in a table, and how busy the machine was."""

import os
from collections.abc import Sequence

import numpy as np


def row(name: str, values: Sequence[float]) -> list[str]:
    """Return name, p50, p95, p99 and maximum."""
    points = [*np.percentile(values, [50, 95, 99]), max(values)] if values else []
    return [name, *(f"{point:.2f}" for point in points)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def load() -> str:
    """Return the machine's load over the last minute, and its cores."""
    return f"{os.getloadavg()[0]:.1f}/{os.cpu_count()}"
