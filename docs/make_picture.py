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
NAMES = ("employee-handbook.pdf", "price-list.pdf", "repair-guarantee.docx", "visitor-guide.txt", "faq.html")
QUESTIONS = (
    "From what age can somebody rent an e-bike?",
    "How many days of paid holiday does a full-time employee have?",
)
SIZE = {"width": 1160, "height": 780}
GAP_PX = 12
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
        for question in QUESTIONS:
            ask(page, question)
        parts = [page.screenshot(), source(page)]
        browser.close()
    small = io.BytesIO()
    beside([Image.open(io.BytesIO(part)).convert("RGB") for part in parts]).save(small, "PNG", optimize=True)
    if small.tell() > MAX_BYTES:
        raise ValueError(f"The picture has {small.tell()} bytes, more than {MAX_BYTES}.")
    PICTURE.write_bytes(small.getvalue())
    print(f"{PICTURE}: {small.tell() / 1000:.0f} kB")


def read(stack: Stack, path: Path) -> None:
    """Upload a file and wait until it is searchable. Raises HTTPStatusError."""
    stack.upload(path.name, path.read_bytes(), wait_s=60).raise_for_status()


def ask(page: Page, question: str) -> None:
    """Ask, in a new conversation at first, and wait for the end of the answer."""
    if "/app/chat" not in page.url:
        page.goto("/app/chat")
    answers = page.get_by_role("article")
    before = answers.count()
    page.get_by_role("textbox", name="Ask").fill(question)
    page.keyboard.press("Enter")
    expect(answers).to_have_count(before + 1, timeout=WITHIN_MS)
    expect(answers.last).to_contain_text("confidence", timeout=WITHIN_MS)
    page.mouse.move(0, 0)


def source(page: Page) -> bytes:
    """Open the page that the last answer cites and return a picture of it."""
    page.get_by_role("article").last.get_by_role("button", name="Source 1").first.click()
    panel = page.get_by_role("dialog")
    drawn = panel.locator("img").first
    expect(drawn).to_be_visible(timeout=WITHIN_MS)
    drawn.evaluate("img => img.decode()")
    return panel.screenshot()


def beside(parts: list[Image.Image]) -> Image.Image:
    """Return the pictures beside each other, in few colours."""
    whole = Image.new("RGB", (sum(part.width for part in parts) + GAP_PX * (len(parts) - 1), parts[0].height), "white")
    left = 0
    for part in parts:
        whole.paste(part, (left, 0))
        left += part.width + GAP_PX
    return whole.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
