"""What must not happen in a browser, whatever a test looks at."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request

SAY_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))
"""

LOCAL_SCHEMES = ("blob", "data", "about")
ALWAYS_EXPECTED = "Failed to load resource"
"""What Chromium itself says of an answer that is no success: tests ask for those, and look at what is shown."""


@dataclass
class Watch:
    """What was seen of one browser context."""

    origin: str
    expected: tuple[str, ...]
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @classmethod
    def over(cls, context: BrowserContext, origin: str, expected: tuple[str, ...] = ()) -> "Watch":
        """Return a watch over every page of the context."""
        watch = cls(origin, (ALWAYS_EXPECTED, *expected))
        context.add_init_script(SAY_VIOLATIONS)
        context.on("request", watch._requested)
        context.on("console", watch._said)
        context.on("weberror", lambda broke: watch.errors.append(str(broke.error)))
        return watch

    def verify(self) -> None:
        """Raise AssertionError where something left the origin, broke, or was against the content policy."""
        assert not self.foreign, f"requests left the origin: {self.foreign}"
        assert not self.errors, f"the page broke, or broke its content policy: {self.errors}"

    def _requested(self, request: Request) -> None:
        address = urlsplit(request.url)
        here = urlsplit(self.origin)
        if address.scheme not in LOCAL_SCHEMES and address.netloc != here.netloc:
            self.foreign.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(self.expected):
            self.errors.append(message.text)
