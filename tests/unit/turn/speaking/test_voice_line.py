"""The order in which providers of voice are asked."""

import pytest

from pipelines.turn.generating.routing import Candidate, Policy
from pipelines.turn.speaking.lines import line

LOCAL = Candidate("local", "here", local=True)
A, B, C = (Candidate(name, f"{name}-1") for name in "abc")


def timed(one: Candidate, ms: float, state: str = "closed") -> Candidate:
    return Candidate(one.provider, one.model, state=state, first_token_ms=ms)  # type: ignore[arg-type]


def names(*candidates: Candidate, policy: Policy = Policy(), **options: object) -> str:  # noqa: B008
    return " ".join(one.provider for one in line(candidates, policy, **options))  # type: ignore[arg-type]


def test_it_is_the_deployments_with_what_runs_here_last() -> None:
    assert names(LOCAL, A, B) == "a b local"


def test_the_policy_prefers_and_forbids_by_provider_or_model() -> None:
    assert names(A, B, C, LOCAL, policy=Policy(prefer=("c-1", "b"), avoid=("a-1",))) == "c b local"
    assert names(A, LOCAL, policy=Policy(prefer=("local",))) == "local a"


def test_who_does_not_work_is_left_out_and_who_failed_this_turn_comes_last() -> None:
    assert names(timed(A, 1, "open"), B, LOCAL) == "b local"
    assert names(A, B, LOCAL, shunned={"a"}) == "b local a"
    assert names(A, B, policy=Policy(prefer=("a",)), shunned={"a"}) == "b a"


def test_whose_voice_is_asked_for_comes_first() -> None:
    assert names(A, B, LOCAL, is_wished=lambda one: one.provider == "local") == "local a b"


@pytest.mark.parametrize(("ms", "order"), [(300, "a b"), (900, "a b"), (1_100, "b a")])
def test_a_little_slower_changes_no_voice_and_much_slower_does(ms: float, order: str) -> None:
    assert names(timed(A, ms), timed(B, 100)) == order


def test_by_time_the_quicker_comes_first_and_who_is_not_known_keeps_its_place() -> None:
    assert names(timed(A, 300), timed(B, 100), by_time=True) == "b a"
    assert names(A, timed(B, 100), by_time=True) == "a b"
