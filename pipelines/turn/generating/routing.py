"""Which model is to answer a question: rules as data, then health, latency, price and the tenant's policy.

Pure: what is known of the providers comes in as `Candidate`s, and out comes the order in which they are tried.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["closed", "open", "half_open"]

SLOW_FACTOR, SLOW_MS = 3.0, 2_000.0
"""A provider stands behind the others while its first token takes so many times as long as the quickest one's,
and at least so long."""

HEDGE_FROM_SAMPLES = 20
"""First tokens that must have been timed before their 95th percentile says when a second request is worth it."""


@dataclass(frozen=True)
class Rule:
    """A kind of question and who answers it best, best first. A question fits where all that is given holds.

    `phrases` are whole words in lower case, of which one must occur; the counts are of words.
    """

    name: str
    prefers: tuple[str, ...]
    phrases: tuple[str, ...] = ()
    fewer_words_than: int | None = None
    more_words_than: int | None = None
    spoken: bool | None = None
    quickest: bool = False

    def fits(self, question: str, words: int, spoken: bool) -> bool:
        """Return whether the question, of so many words, is of this kind."""
        return (
            (self.spoken is None or self.spoken == spoken)
            and (self.fewer_words_than is None or words < self.fewer_words_than)
            and (self.more_words_than is None or words > self.more_words_than)
            and (not self.phrases or any(re.search(rf"\b{re.escape(phrase)}\b", question) for phrase in self.phrases))
        )


QUICK = ("openai", "groq", "custom", "grok")
COMPLEX = ("grok", "openai", "custom", "groq")
LOW_LATENCY = ("groq", "openai", "custom", "grok")

RULES = (
    Rule("spoken", LOW_LATENCY, spoken=True, quickest=True),
    Rule(
        "quick facts",
        QUICK,
        ("what is", "define", "when", "where", "who", "how many"),
        fewer_words_than=100,
    ),
    Rule("complex reasoning", COMPLEX, ("analyze", "compare", "explain", "why", "reasoning", "solve")),
    Rule("long", COMPLEX, more_words_than=200),
    Rule("default", QUICK),
)
"""The first that fits decides. Somebody who listens waits for the first word above all."""


@dataclass(frozen=True)
class Candidate:
    """A model that could answer, and what is known of it.

    `first_token_ms` is the moving average of the time to its first token and `slow_first_token_ms` the 95th
    percentile, None where too little is known. `cost_usd` is the most that this answer may cost.
    """

    provider: str
    model: str
    local: bool = False
    state: State = "closed"
    first_token_ms: float | None = None
    slow_first_token_ms: float | None = None
    cost_usd: float = 0.0

    @property
    def named(self) -> dict[str, str]:
        """Return its names, as an answer's route shows them."""
        return {"provider": self.provider, "model": self.model}


@dataclass(frozen=True)
class Policy:
    """What a tenant or an assistant asks for. `prefer` and `avoid` name providers or models."""

    prefer: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    max_cost_usd_per_answer: float | None = None
    hedge: bool = False
    cache: bool = True

    @classmethod
    def of(cls, *given: object) -> "Policy":
        """Return the policy that `given` add up to, the tenant's first and the assistant's last.

        What all forbid stays forbidden; of preferences the last one stands. What is not understood is left out.
        """
        policy = cls()
        for one in given:
            if isinstance(one, Mapping):
                policy = policy._with(one)
        return policy

    def _with(self, given: Mapping[str, Any]) -> "Policy":
        limits = [limit for limit in (self.max_cost_usd_per_answer, _amount(given)) if limit is not None]
        return Policy(
            prefer=_names(given.get("prefer")) or self.prefer,
            avoid=tuple(dict.fromkeys((*self.avoid, *_names(given.get("avoid"))))),
            max_cost_usd_per_answer=min(limits, default=None),
            hedge=given["hedge"] if isinstance(given.get("hedge"), bool) else self.hedge,
            cache=self.cache and given.get("cache") is not False,
        )

    def place(self, candidate: Candidate) -> int:
        """Return where the candidate stands among those that are preferred; behind them where it does not."""
        return _place(candidate.provider, self.prefer, candidate.model)

    def forbids(self, candidate: Candidate) -> bool:
        """Return whether the candidate must not be asked."""
        limit = self.max_cost_usd_per_answer
        named = candidate.provider in self.avoid or candidate.model in self.avoid
        return named or (limit is not None and candidate.cost_usd > limit)


@dataclass(frozen=True)
class Plan:
    """Whom to ask, one after the other; `reason` says why the first is the first.

    `hedge_after_ms` is when a second request is worth it while the first one is silent, None for never.
    """

    order: tuple[Candidate, ...]
    rule: str
    reason: str
    hedge_after_ms: float | None = None


def plan(candidates: Sequence[Candidate], question: str, spoken: bool, policy: Policy) -> Plan:
    """Return the order in which the candidates are to be tried; empty where the policy forbids them all.

    Those whose circuit is open are left out, what is local comes last unless it is preferred.
    """
    rule = rule_for(question, spoken)
    allowed = [one for one in candidates if not policy.forbids(one) and one.state != "open"]
    fastest = min((one.first_token_ms for one in allowed if one.first_token_ms is not None), default=None)

    def place(one: Candidate) -> tuple[Any, ...]:
        wished = policy.place(one)
        timed = one.first_token_ms if rule.quickest and one.first_token_ms is not None else None
        rank = _place(one.provider, rule.prefers)
        # One that nothing is known of keeps its place among the timed ones by the rule.
        by_time = (timed if timed is not None else fastest or 0.0) if rule.quickest else 0.0
        return wished, one.local, _is_slow(one, fastest), by_time, rank, one.cost_usd

    order = tuple(sorted(allowed, key=place))
    return Plan(order, rule.name, _reason(order, candidates, rule, policy, fastest), _hedge_after_ms(order, policy))


def stands_in(one: Candidate, candidates: Sequence[Candidate], policy: Policy) -> bool:
    """Return whether what runs here answers only because those that should do not."""
    wished = one.provider in policy.prefer or one.model in policy.prefer
    return one.local and not wished and any(not each.local and not policy.forbids(each) for each in candidates)


def rule_for(question: str, spoken: bool) -> Rule:
    """Return the first rule that the question fits."""
    asked = " ".join(question.lower().split())
    words = len(asked.split())
    return next(rule for rule in RULES if rule.fits(asked, words, spoken))


def _reason(
    order: Sequence[Candidate], candidates: Sequence[Candidate], rule: Rule, policy: Policy, fastest: float | None
) -> str:
    """Return why the first candidate is the first, in words."""
    if not order:
        return "the policy allows none that works"
    first = order[0]
    if first.provider in policy.prefer or first.model in policy.prefer:
        return "preferred by the policy"
    if first.local:
        alone = all(one.local for one in candidates)
        return "nothing else is set up" if alone else "no other provider is allowed or works"
    rank = _place(first.provider, rule.prefers)
    passed = [one for one in candidates if not one.local and _place(one.provider, rule.prefers) < rank]
    return "; ".join((rule.name, *(_passed(one, rule, policy, fastest) for one in passed)))


def _passed(one: Candidate, rule: Rule, policy: Policy, fastest: float | None) -> str:
    """Return why a candidate that the rule prefers is not the first."""
    if policy.forbids(one):
        return f"the policy forbids {one.provider}"
    if one.state != "closed":
        return f"{one.provider} does not work at present"
    return f"quicker than {one.provider}" if rule.quickest or _is_slow(one, fastest) else f"rather than {one.provider}"


def _hedge_after_ms(order: Sequence[Candidate], policy: Policy) -> float | None:
    if not policy.hedge or len([one for one in order if not one.local]) < 2:
        return None
    return order[0].slow_first_token_ms


def _is_slow(one: Candidate, fastest: float | None) -> bool:
    if one.first_token_ms is None or fastest is None:
        return False
    return one.first_token_ms >= SLOW_MS and one.first_token_ms > SLOW_FACTOR * fastest


def _place(provider: str, names: Sequence[str], model: str = "") -> int:
    """Return where the provider or its model stands among the names; behind them where it does not."""
    return next((at for at, name in enumerate(names) if name in (provider, model)), len(names))


def _names(value: object) -> tuple[str, ...]:
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list | tuple) else ()


def _amount(given: Mapping[str, Any]) -> float | None:
    value = given.get("max_cost_usd_per_answer")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None
