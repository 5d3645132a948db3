"""Rules first, then what is known: health, latency, price, and what a policy asks for."""

import pytest

from pipelines.turn.generating.routing import Candidate, Policy, plan, rule_for

OPENAI = Candidate("openai", "gpt-5.4-mini", cost_usd=0.006)
GROK = Candidate("grok", "grok-4.3", cost_usd=0.004)
GROQ = Candidate("groq", "openai/gpt-oss-120b", cost_usd=0.001)
LOCAL = Candidate("local", "extractive", local=True)
ALL = (OPENAI, GROK, GROQ, LOCAL)


def first(question: str, *candidates: Candidate, spoken: bool = False, policy: Policy | None = None) -> str:
    return plan(candidates or ALL, question, spoken, policy or Policy()).order[0].provider


@pytest.mark.parametrize(
    ("question", "provider"),
    [
        ("What is the deposit?", "openai"),
        ("Define amortisation.", "openai"),
        ("When do you open?", "openai"),
        ("Where is it, and who runs it?", "openai"),
        ("How many bikes are there?", "openai"),
        ("Analyze the two contracts.", "grok"),
        ("Compare the plans", "grok"),
        ("Explain the fee.", "grok"),
        ("Why does it cost so much?", "grok"),
        ("Solve this for me", "grok"),
        ("A city bike for a day, please", "openai"),
        ("whenever somebody somewhere", "openai"),
        (" ".join(["word"] * 201), "grok"),
        (" ".join(["what is"] * 101), "grok"),
        (" ".join(["word"] * 200), "openai"),
        ("What is the difference? Compare them.", "openai"),
    ],
)
def test_the_reference_text_decides(question: str, provider: str) -> None:
    assert first(question) == provider


def test_words_count_only_whole() -> None:
    assert rule_for("Whenever the author analyzed it", False).name == "default"


def test_who_listens_gets_the_quickest() -> None:
    assert first("Compare them.", spoken=True) == "groq"
    timed = Candidate("grok", "grok-4.3", first_token_ms=200), Candidate("groq", "m", first_token_ms=900)
    assert first("Compare them.", *timed, spoken=True) == "grok"


def test_what_is_local_comes_last_and_stands_in() -> None:
    assert [one.provider for one in plan(ALL, "Why?", False, Policy()).order][-1] == "local"
    assert plan((LOCAL,), "Why?", False, Policy()).reason == "nothing else is set up"


def test_an_open_circuit_is_left_out_and_a_half_open_one_keeps_its_place() -> None:
    """Somebody must try it; those who may not are told that it is open."""
    is_open, half = Candidate("openai", "m", state="open"), Candidate("openai", "m", state="half_open")
    found = plan((is_open, GROK), "When?", False, Policy())
    assert [one.provider for one in found.order] == ["grok"]
    assert found.reason == "quick facts; openai does not work at present"
    assert first("When?", half, GROK) == "openai"


def test_one_that_is_much_slower_stands_behind() -> None:
    slow, quick = Candidate("openai", "m", first_token_ms=6000), Candidate("groq", "m", first_token_ms=300)
    assert first("When?", slow, quick) == "groq"
    assert first("When?", Candidate("openai", "m", first_token_ms=1900), quick) == "openai"


def test_policies_add_up() -> None:
    policy = Policy.of({"prefer": ["grok"], "avoid": ["groq"], "max_cost_usd_per_answer": 1}, {"avoid": ["local"]})
    assert (policy.prefer, policy.avoid, policy.max_cost_usd_per_answer) == (("grok",), ("groq", "local"), 1.0)
    assert Policy.of({"max_cost_usd_per_answer": 1}, {"max_cost_usd_per_answer": 2}).max_cost_usd_per_answer == 1
    assert Policy.of({"cache": False}, {"cache": True}).cache is False
    assert Policy.of({"hedge": True}, {"hedge": False}).hedge is False


@pytest.mark.parametrize("given", [None, 7, "x", [], {"prefer": 3, "avoid": [1], "hedge": "yes"}, {"cache": None}])
def test_a_policy_that_is_not_understood_asks_for_nothing(given: object) -> None:
    assert Policy.of(given) == Policy()


def test_a_price_limit_leaves_the_cheaper_ones() -> None:
    order = plan(ALL, "Why?", False, Policy(max_cost_usd_per_answer=0.004)).order
    assert [one.provider for one in order] == ["grok", "groq", "local"]
    assert plan(ALL, "Why?", False, Policy(avoid=("grok",))).reason == "complex reasoning; the policy forbids grok"


def test_hedging_waits_for_the_95th_percentile() -> None:
    timed = Candidate("openai", "m", slow_first_token_ms=800)
    assert plan((timed, GROQ), "When?", False, Policy(hedge=True)).hedge_after_ms == 800
    assert plan((timed, GROQ), "When?", False, Policy()).hedge_after_ms is None
    assert plan((timed, LOCAL), "When?", False, Policy(hedge=True)).hedge_after_ms is None
