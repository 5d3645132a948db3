"""Looking at a page in every size and both colours: a screenshot each, and axe's judgement."""

from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

from deploy.node import WEB

SCREENSHOTS = Path(__file__).parent / "screenshots"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS_PX = (375, 768, 1440)
HEIGHT_PX = 900
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
JUDGED = ((375, "light"), (1440, "dark"))
"""Where axe looks: each way of laying a page out once, and each way of colouring it."""

GRAVE = ("serious", "critical")

WIDER = "() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
RESTS = """async () => {
  const moves = (each) => each.playState === "running" && each.effect.getTiming().iterations !== Infinity;
  await new Promise(requestAnimationFrame);
  for (let moving; (moving = document.getAnimations().filter(moves)).length;)
    await Promise.allSettled(moving.map((each) => each.finished));
}"""
"""Returns once nothing moves that comes to an end."""


def look(page: Page, name: str) -> None:
    """Keep screenshots of a page as it is now, at 375, 768 and 1440 px, light and dark.

    Raises AssertionError for a page that is wider than its window, and for what axe finds serious or critical.
    """
    SCREENSHOTS.mkdir(exist_ok=True)
    faults: list[str] = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS_PX:
            page.set_viewport_size({"width": width, "height": HEIGHT_PX})
            page.evaluate(RESTS)
            page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
            too_wide = page.evaluate(WIDER)
            if too_wide > 0:
                faults.append(f"{name} at {width} px is {too_wide} px too wide")
            if (width, scheme) in JUDGED:
                faults += [f"{name} at {width} px, {scheme}: {each}" for each in grave_faults(page)]
    page.emulate_media(color_scheme="light")
    assert not faults, "\n".join(faults)


def glance(page: Page, name: str) -> None:
    """Keep one screenshot of what is open above a page, and raise AssertionError for what axe finds in it."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.evaluate(RESTS)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    faults = grave_faults(page)
    assert not faults, "\n".join(faults)


def grave_faults(page: Page) -> list[str]:
    """Return what axe finds serious or critical on the page, each with where it is."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then((it) => it.violations)"
    )
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]
