"""Take the README's picture: a question to docs/samples, its answer, and the page that it comes from.

Run it after a change of the chat: `.venv/bin/python -m docs.make_picture`. It starts a stack of its
own and a Chromium, takes a minute, and writes docs/pictures/conversation.png.
"""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from deploy.ephemeral import Stack, ephemeral_stack
from tests.browser import chromium

HERE = Path(__file__).parent
PICTURE = HERE / "pictures" / "conversation.png"
NAMES = ("employee-handbook.pdf", "price-list.pdf", "repair-guarantee.docx", "visitor-guide.txt")
QUESTION = "How many days of paid holiday does a full-time employee have?"
SIZE = {"width": 1280, "height": 800}
WITHIN_MS = 60_000
COLOURS = 128
MAX_BYTES = 150_000


def main() -> None:
    """Write the picture. Raises ValueError where it is larger than a README should load."""
    with ephemeral_stack() as stack, sync_playwright() as playwright:
        for name in NAMES:
            read(stack, HERE / "samples" / name)
        browser = playwright.chromium.launch(executable_path=chromium.executable(), args=chromium.arguments())
        page = browser.new_page(base_url=stack.url, viewport=SIZE, locale="en-GB", reduced_motion="reduce")
        page.set_default_timeout(WITHIN_MS)
        ask(page)
        taken = page.screenshot()
        browser.close()
    small = io.BytesIO()
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    if small.tell() > MAX_BYTES:
        raise ValueError(f"The picture has {small.tell()} bytes, more than {MAX_BYTES}.")
    PICTURE.write_bytes(small.getvalue())
    print(f"{PICTURE}: {small.tell() / 1000:.0f} kB")


def read(stack: Stack, path: Path) -> None:
    """Upload a file and wait until it is searchable. Raises HTTPStatusError."""
    stack.upload(path.name, path.read_bytes(), wait_s=60).raise_for_status()


def ask(page: Page) -> None:
    """Ask, wait for the answer, and open the page it cites."""
    page.goto("/app/chat")
    page.get_by_role("textbox", name="Ask").fill(QUESTION)
    page.keyboard.press("Enter")
    source = page.get_by_role("article").last.get_by_role("button", name="Source 1").first
    source.click()
    drawn = page.get_by_role("dialog").get_by_role("img").first
    expect(drawn).to_be_visible(timeout=WITHIN_MS)
    drawn.evaluate("img => img.decode()")
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
