"""Insight: the charts, the same as tables, and what they follow."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from deploy.ephemeral import Stack
from tests.browser.conftest import Person
from tests.browser.looking import grave_faults, look

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]

CHARTS = (
    "Questions by day",
    "Time to answer, by day",
    "Where the time goes",
    "How sure answers were",
    "Feedback",
    "Cache and unanswered questions",
    "By assistant",
)


def test_charts_say_in_tables_what_they_show_and_follow_the_assistant_and_the_time(
    open_page: OpenPage, new_person: NewPerson, stack: Stack
) -> None:
    person = new_person()
    page = open_page("/app/insight", person)
    expect(page.get_by_text("Nothing to show yet").first).to_be_visible()
    look(page, "insight-empty")
    terms = {"file": ("terms.txt", b"Orders\n\nAn order may be returned within 30 days of its arrival.\n")}
    stack.client.post(
        "/api/documents/upload", files=terms, headers={**person.headers, "Prefer": "wait=60"}
    ).raise_for_status()
    questions = ("Within how many days may an order be returned?", "Who built the harbour?")
    for question in (questions[0], *questions):
        found = stack.client.post("/api/chat", json={"message": question}, headers=person.headers)
        assert found.status_code == 200, found.text
    rated = {"turn_id": found.json()["turn_id"], "rating": -1}
    stack.client.post("/api/chat/feedback", json=rated, headers=person.headers).raise_for_status()
    page.reload()
    expect(page.locator(".recharts-surface").first).to_be_visible()
    for title in CHARTS:
        expect(page.get_by_role("region", name=title).get_by_role("row").nth(1)).to_be_attached()
    by_day = page.get_by_role("region", name="Questions by day")
    expect(by_day.get_by_role("cell", name="3", exact=True)).to_have_count(1)
    stages = page.get_by_role("region", name="Where the time goes")
    expect(stages.get_by_role("cell", name="Write, works")).to_have_count(1)
    look(page, "insight")

    page.get_by_role("radiogroup", name="Questions by day: shown as").get_by_text("Table").click()
    by_day.get_by_role("cell", name="3", exact=True).scroll_into_view_if_needed()
    expect(by_day.get_by_role("cell", name="3", exact=True)).to_be_in_viewport()
    page.get_by_text("7 days").click()
    expect(by_day.get_by_role("row")).to_have_count(8)
    assert not grave_faults(page)
