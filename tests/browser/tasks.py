"""How long a page keeps its thread, by the processor's clock: what a busy machine does meanwhile is not the page's."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

CATEGORIES = ["toplevel", "disabled-by-default-devtools.timeline"]
MAIN_THREAD = "CrRendererMain"
TASK = "RunTask"


@contextmanager
def longest_tasks_ms(page: Page) -> Iterator[list[float]]:
    """Yield a list that holds, once the block has ended, what each task took of a processor, the longest first.

    Raises AssertionError where nothing was seen of the page's thread.
    """
    browser = page.context.browser
    assert browser
    found: list[float] = []
    browser.start_tracing(page=page, categories=CATEGORIES)
    try:
        yield found
    finally:
        events = json.loads(browser.stop_tracing())["traceEvents"]
    names = {(one["pid"], one["tid"]): one["args"]["name"] for one in events if one["name"] == "thread_name"}
    tasks = [one for one in events if one["name"].endswith(TASK) and names.get((one["pid"], one["tid"])) == MAIN_THREAD]
    found += sorted((one["tdur"] / 1000 for one in tasks if "tdur" in one), reverse=True)
    assert found, "the trace holds no task of the page's thread"
