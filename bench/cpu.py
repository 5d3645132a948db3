"""Which processes of a stack use the processor."""

from collections import Counter
from collections.abc import Mapping

import psutil

from deploy.ephemeral import Stack, queue_of


def used_s(stack: Stack) -> Counter[str]:
    """Return the processor seconds so far of all processes of a stack, those that ended included, by what they are."""
    found: Counter[str] = Counter()
    for process in [stack.launcher_process(), *stack.launcher_process().children(recursive=True)]:
        try:
            kind, times = _kind(process), process.cpu_times()
        except psutil.Error:
            continue
        found[kind] += times.user + times.system + times.children_user + times.children_system
    return found


def between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds used between two moments, the greatest first."""
    used = {kind: after[kind] - before.get(kind, 0.0) for kind in after}
    return dict(sorted(used.items(), key=lambda item: -item[1]))


def shown(used: Mapping[str, float]) -> str:
    """Return a line of who used how many seconds, down to a hundredth of the whole."""
    least = sum(used.values()) / 100
    return ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in used.items() if seconds >= least)


def _kind(process: psutil.Process) -> str:
    name, command = process.name(), process.cmdline()
    if name in ("postgres", "valkey-server", "redis-server"):
        return name
    if "-Q" in command:
        return queue_of(command)
    words = " ".join(command)
    return next((kind for kind in ("gunicorn", "beat", "flower", "deploy.local") if kind in words), name)
