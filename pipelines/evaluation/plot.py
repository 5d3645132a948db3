"""A picture of an evaluation: recall at k, and risk over coverage, a line for each configuration. SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#57606a", "#bf3989", "#0969da")
WIDTH, HEIGHT, LEFT, TOP, SIDE = 860, 400, 60, 40, 320
RECALL_AT = (1, 3, 5, 10)
_STYLE = 'font-family="sans-serif" font-size="12" fill="#24292f"'


def svg(name: str, results: Sequence[Mapping[str, Any]]) -> str:
    """Return the picture: no script, no reference to anything outside it."""
    shown = results[: len(COLOURS)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT + 20 * len(shown)}" {_STYLE}>',
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="{LEFT}" y="20">{_text(name)}</text>',
        _axes(LEFT, "recall@k", [(k / 10, str(k)) for k in RECALL_AT], "k"),
        _axes(LEFT + 420, "risk", [(share, f"{share:g}") for share in (0, 0.25, 0.5, 0.75, 1)], "coverage"),
    ]
    for number, (one, colour) in enumerate(zip(shown, COLOURS, strict=False)):
        recall = [(k / 10, value) for k in RECALL_AT if (value := one.get(f"recall_at_{k}")) is not None]
        parts.append(_line(LEFT, recall, colour))
        parts.append(_line(LEFT + 420, [(c, r) for c, r in one.get("risk_coverage", ())], colour))
        y = HEIGHT + 20 * number
        parts.append(f'<rect x="{LEFT}" y="{y - 10}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + 20}" y="{y}">{_text(str(one.get("name", "")))}</text>')
    return "".join([*parts, "</svg>"])


def _axes(left: float, title: str, ticks: Sequence[tuple[float, str]], below: str) -> str:
    bottom = TOP + SIDE - 30
    parts = [f'<path d="M{left} {TOP}V{bottom}H{left + SIDE}" fill="none" stroke="#57606a"/>']
    parts += [f'<text x="{left}" y="{TOP - 6}">{title}</text>']
    parts += [f'<text x="{left + SIDE}" y="{bottom + 32}" text-anchor="end">{below}</text>']
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _y(share)
        parts.append(f'<path d="M{left} {y:.1f}h{SIDE}" stroke="#d0d7de"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{share:g}</text>')
    parts += [
        f'<text x="{left + at * SIDE:.1f}" y="{bottom + 16}" text-anchor="middle">{mark}</text>' for at, mark in ticks
    ]
    return "".join(parts)


def _line(left: float, points: Sequence[tuple[float, float]], colour: str) -> str:
    if not points:
        return ""
    path = "L".join(f"{left + x * SIDE:.1f} {_y(y):.1f}" for x, y in points)
    return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _y(share: float) -> float:
    return TOP + (1 - share) * (SIDE - 30)


def _text(text: str) -> str:
    """Return text as XML may hold it."""
    return escape("".join(char for char in text if char.isprintable())[:120])
