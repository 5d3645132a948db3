"""The root of all errors, and what is common to them. A class's docstring is the sentence its user reads.

`Transient` is tried again, after `retry_after_s`; `Permanent` never is. `code` is stable: clients
may branch on it. `status` is the HTTP status it has at the border (RFC 9457 problem details).
"""

from typing import ClassVar


class AuraError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    remedy: ClassVar[str] = ""
    """What somebody can do about it, where the sentence does not say so already."""

    may_pass: ClassVar[bool] = False
    """Whether the same may work when it is tried again, with nothing changed in what was sent."""

    def __init__(self, detail: str | None = None, **facts: object) -> None:
        self.detail = detail or type(self).sentence()
        self.facts = facts
        super().__init__(self.detail)

    @classmethod
    def sentence(cls) -> str:
        """Return the docstring's first line."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    @staticmethod
    def by_code(code: str, detail: str | None = None) -> "AuraError":
        """Return an error of the class that has this `code`, as a row or a reply kept it."""
        kinds = [AuraError]
        for kind in kinds:
            if kind.code == code:
                return kind(detail)
            kinds += kind.__subclasses__()
        return AuraError(detail)


class Transient(AuraError):
    """This did not work just now; it is tried again by itself."""

    code, status = "temporarily_unavailable", 503
    remedy = "Try it again later."
    may_pass = True

    def __init__(self, detail: str | None = None, *, retry_after_s: float = 1.0, **facts: object) -> None:
        super().__init__(detail, **facts)
        self.retry_after_s = retry_after_s


class Permanent(AuraError):
    """This cannot work as it was asked."""

    code, status = "refused", 400
