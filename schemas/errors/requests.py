"""A request that cannot be met."""

from schemas.errors.tree import Permanent, Transient


class InvalidRequest(Permanent):
    """The request is not valid."""

    code, status = "invalid_request", 422


class MalformedJson(Permanent):
    """The body is not valid JSON."""

    code, status = "malformed_json", 400


class Conflict(Permanent):
    """Something with this name exists already."""

    code, status = "conflict", 409


class SameKeyOtherRequest(Permanent):
    """This Idempotency-Key was used for another request."""

    code, status = "idempotency_key_reused", 422


class StillRunning(Transient):
    """The request with this Idempotency-Key is still in work."""

    code, status = "still_running", 409


class NotFound(Permanent):
    """There is nothing with this id."""

    code, status = "not_found", 404


class UnknownAssistant(Permanent):
    """There is no assistant with this key."""

    code, status = "unknown_assistant", 404


class InactiveAssistant(Permanent):
    """This assistant is switched off."""

    code, status = "assistant_inactive", 409


class AssistantInUse(Permanent):
    """The assistant owns knowledge: say what is to become of it, `documents=delete` or `documents=shared`."""

    code, status = "assistant_in_use", 409


class ChangedMeanwhile(Permanent):
    """Somebody has changed this meanwhile. Read it again, then repeat the change."""

    code, status = "changed_meanwhile", 412


class NotReady(Permanent):
    """This is not finished yet."""

    code, status = "not_ready", 409


class NoPages(Permanent):
    """Documents of this format have no pages to show; their chunks hold the text and its headings."""

    code, status = "no_pages", 409


class MessageTooLong(Permanent):
    """The message is too long."""

    code, status = "message_too_long", 413


class InputTooLong(InvalidRequest):
    """The text is longer than the model reads."""

    code, status = "input_too_long", 422
    remedy = "Shorten the text."


class TextChanged(Permanent):
    """A re-index changed the text that this edit replaced, so the edit was dropped."""

    code, status = "text_changed", 409
    remedy = "Look at the document's chunks and edit the one that holds the text now."


class NotOffered(Permanent):
    """No provider for this is set up here. `flask --app api doctor` says what is missing."""

    code, status = "not_offered", 503
    remedy = "Set up a provider, or a key of one; then retry."
    may_pass = True
