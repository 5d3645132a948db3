"""What becomes of a question where the page is loaded anew, the network goes away, or the model refuses."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

from deploy.ephemeral import Stack, wait_until
from tests.browser.chat.conftest import BEGUN, HOLIDAY, PATIENCE_MS, TOLD, Model, answer, ask
from tests.browser.conftest import Person

OpenPage = Callable[..., Page]

GONE = "The connection is gone"
WHOLE = TOLD.removesuffix(" [1].")


def turns(stack: Stack, person: Person, page: Page) -> list[dict[str, Any]]:
    """Return what the server keeps of the conversation that the page shows."""
    path = f"/api/memory/conversations/{page.url.split('/')[-1]}/turns"
    found: list[dict[str, Any]] = stack.client.get(path, headers=person.headers).json()["turns"]
    return found


def writes(stack: Stack, person: Person, model: Model) -> bool:
    """Return whether the model is asked for an answer, by asking for one."""
    before = model.asked
    stack.client.post("/api/chat", json={"message": HOLIDAY}, headers=person.headers)
    return model.asked > before


def test_an_answer_goes_on_after_a_new_load_and_after_the_network_was_away(
    open_page: OpenPage, reader: Person, stack: Stack, model: Model
) -> None:
    model.pauses = True
    page = open_page("/app/chat", reader)
    ask(page, HOLIDAY)
    expect(answer(page)).to_contain_text(BEGUN, timeout=PATIENCE_MS)
    page.reload()
    expect(answer(page)).to_contain_text(BEGUN)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.context.set_offline(True)
    expect(answer(page)).to_contain_text(GONE)
    model.go.set()
    page.context.set_offline(False)
    expect(answer(page)).to_contain_text(WHOLE, timeout=PATIENCE_MS)
    expect(answer(page)).not_to_contain_text(GONE)
    expect(page.get_by_role("article")).to_have_count(1)
    assert answer(page).get_by_text(WHOLE).inner_text().count(WHOLE) == 1
    assert [one["status"] for one in turns(stack, reader, page)] == ["completed"]


def test_a_question_is_asked_once_whatever_the_network_does(
    open_page: OpenPage, reader: Person, stack: Stack, model: Model
) -> None:
    page = open_page("/app/chat", reader)
    ask(page, HOLIDAY)
    expect(answer(page)).to_contain_text(WHOLE, timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    page.context.set_offline(True)
    ask(page, "Asked without a network")
    expect(answer(page)).to_contain_text(GONE)
    page.context.set_offline(False)
    expect(answer(page)).to_contain_text(WHOLE, timeout=PATIENCE_MS)
    # Nothing is asked while an answer is still being written.
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    lost: list[int] = []

    def lose(route: Route) -> None:
        # The server has heard it and answers, and the answer does not arrive.
        lost.append(route.fetch().status)
        route.abort("connectionreset")

    page.route("**/api/chat", lose, times=1)
    ask(page, "Asked, and the answer was lost")
    expect(page.get_by_role("article")).to_have_count(3)
    expect(answer(page)).to_contain_text(WHOLE, timeout=PATIENCE_MS)
    assert lost == [200]
    asked = [one["question"] for one in turns(stack, reader, page)]
    assert asked == [HOLIDAY, "Asked without a network", "Asked, and the answer was lost"]


def test_a_model_that_refuses_is_done_without_and_a_server_that_does_is_asked_again(
    open_page: OpenPage, reader: Person, stack: Stack, model: Model
) -> None:
    page = open_page("/app/chat", reader)
    busy = {"code": "too_busy", "detail": "Too many are asking.", "status": 503}
    page.route("**/api/chat", lambda route: route.fulfill(status=503, json=busy), times=1)
    ask(page, HOLIDAY)
    expect(answer(page).get_by_role("alert")).to_contain_text("Too many are asking.")
    answer(page).get_by_role("button", name="Ask again", exact=True).click()
    expect(answer(page)).to_contain_text(WHOLE, timeout=PATIENCE_MS)
    expect(page.get_by_role("article")).to_have_count(1)
    expect(answer(page).get_by_role("alert")).to_have_count(0)
    model.refuses = True
    ask(page, "How many days of holiday does a full-time employee have a year?")
    expect(answer(page)).to_contain_text("28 days of paid holiday a year, public holidays", timeout=PATIENCE_MS)
    model.refuses = False
    # It is let alone for ten seconds: the tests after this one need it again.
    wait_until(lambda: writes(stack, reader, model), 120, "the model writes again")
