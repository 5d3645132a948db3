"""Somebody else's part did not work: a provider, a store, a reader, a mail server."""

from schemas.errors.tree import Permanent, Transient


class ProviderUnavailable(Transient):
    """The provider did not answer. Try again in a moment."""

    code, status = "provider_unavailable", 503


class AnswerCutShort(ProviderUnavailable):
    """The answer broke off: its provider stopped in the middle. Ask again."""

    code, status = "answer_cut_short", 503


class NotHeard(ProviderUnavailable):
    """I could not hear you just now: nothing that listens answers. Please say it again."""

    code, status = "not_heard", 503


class NotSpoken(ProviderUnavailable):
    """Nothing that speaks answers just now. What is said can be read."""

    code, status = "not_spoken", 503


class RateLimited(Transient):
    """The provider asked to slow down. The work goes on when it allows it."""

    code, status = "provider_rate_limited", 429


class StoreUnavailable(Transient):
    """The database or the message store does not answer. Nothing accepted is lost; try again in a moment."""

    code, status = "store_unavailable", 503


class ReaderStopped(Transient):
    """The process that read this file was stopped from outside. The file is read again."""

    code, status = "reader_stopped", 503


class MailNotSent(Transient):
    """The mail server did not take the mail. It is tried again."""

    code, status = "mail_not_sent", 503


class TooBusy(Transient):
    """The server is at its limit of open connections. Try again in a moment."""

    code, status = "too_busy", 503


class TooSlow(Transient):
    """Events come faster than they are read. Come back with the id of the last one."""

    code, status = "too_slow", 503


class MailRefused(Permanent):
    """The mail server refuses the recipient or the mail for good."""

    code, status = "mail_refused", 422
