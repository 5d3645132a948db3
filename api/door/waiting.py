"""Whether a request waits for what it began (`Prefer: wait=N`)."""

import re

from flask import request

MAX_WAIT_S = 300.0


def preferred_wait_s() -> float | None:
    """Return N of the request's `Prefer: wait=N`, 300 at most; None where it does not wait."""
    found = re.search(r"\bwait=(\d{1,6})\b", request.headers.get("Prefer", ""))
    return min(MAX_WAIT_S, float(found[1])) if found else None
