"""Who is to listen or speak, best first: the voice that is wished, the tenant's policy, health, then quickness.

Pure: what is known of the providers comes in as `Candidate`s in the order in which the deployment names them.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from pipelines.turn.generating.routing import Candidate, Policy

SLOW_FACTOR, SLOW_MS = 3.0, 1_000.0
"""A provider stands behind the others while it takes so many times as long as the quickest one, and at least so long.

A smaller difference changes nothing: an assistant that changes its voice is worse than one that is a little later.
"""


def line(
    candidates: Sequence[Candidate],
    policy: Policy,
    *,
    shunned: Collection[str] = (),
    by_time: bool = False,
    is_wished: Callable[[Candidate], bool] = lambda _: False,
) -> tuple[Candidate, ...]:
    """Return those that may be asked, in the order in which they are.

    Left out are those that the policy forbids and those whose circuit is open. What is `shunned`, as it failed this
    very turn, comes behind all others, what is local behind the rest unless it is preferred or wished. `by_time` puts
    the quicker ones first; `is_wished` says whose voice is asked for.
    """
    allowed = [one for one in candidates if not policy.forbids(one) and one.state != "open"]
    fastest = min((one.first_token_ms for one in allowed if one.first_token_ms is not None), default=0.0)

    def place(one: Candidate) -> tuple[Any, ...]:
        took_ms = one.first_token_ms if one.first_token_ms is not None else fastest
        is_slow = took_ms >= SLOW_MS and took_ms > SLOW_FACTOR * fastest
        failed = one.provider in shunned
        return failed, not is_wished(one), policy.place(one), one.local, is_slow, took_ms if by_time else 0.0

    return tuple(sorted(allowed, key=place))
