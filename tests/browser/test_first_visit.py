"""How soon a first visit sees something, and then what it came for, on a machine that is four times slower."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Person
from tests.browser.tasks import longest_tasks_ms

OpenPage = Callable[..., Page]
NewPerson = Callable[..., Person]
Record = Callable[[str, object], None]

FIRST_PAINT_MS = 1_000
WORK_MS = 1_500
"""What the page's thread works, four times slower, until what was come for stands there."""

SLOWER = 4
TRIES = 8
FEWER_TRIES = 4
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
LARGEST = """new Promise((told) => new PerformanceObserver((list) => told(list.getEntries().at(-1).startTime))
  .observe({type: "largest-contentful-paint", buffered: true}))"""


def slowed(open_page: OpenPage, person: Person | None = None) -> Page:
    """Return an empty page in a browser that has seen nothing of ours, on a machine that is four times slower."""
    page = open_page("about:blank", person)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return page


def test_the_first_page_is_painted_within_a_second(open_page: OpenPage, record_property: Record) -> None:
    painted: list[float] = []
    # The best of several, each a first visit: what else this machine does meanwhile is not the page's.
    while min(painted, default=FIRST_PAINT_MS + 1) > FIRST_PAINT_MS and len(painted) < TRIES:
        page = slowed(open_page)
        page.goto("/welcome")
        page.wait_for_function(PAINTED)
        painted.append(page.evaluate(PAINTED))
        page.context.close()
    record_property("first contentful paint, 4 times slower", f"{min(painted):.0f} ms")
    assert min(painted) <= FIRST_PAINT_MS


@pytest.mark.parametrize(("path", "is_in"), [("/welcome", False), ("/login", False), ("/app", True)])
def test_what_was_come_for_stands_there_soon(
    open_page: OpenPage, new_person: NewPerson, record_property: Record, path: str, is_in: bool
) -> None:
    person = new_person() if is_in else None
    worked: list[float] = []
    largest: list[float] = []
    while min(worked, default=WORK_MS + 1) > WORK_MS and len(worked) < FEWER_TRIES:
        page = open_page("about:blank", person)
        with longest_tasks_ms(page) as tasks:
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
        worked.append(sum(tasks) * SLOWER)
        page.context.close()
        page = slowed(open_page, person)
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        largest.append(page.evaluate(LARGEST))
        page.context.close()
    record_property(f"work until {path} stands, 4 times slower", f"{min(worked):.0f} ms")
    record_property(f"largest contentful paint of {path}, 4 times slower", f"{min(largest):.0f} ms")
    assert min(worked) <= WORK_MS
