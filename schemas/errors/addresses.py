"""Web addresses that tenants give."""

from schemas.errors.tree import Permanent, Transient


class AddressRefused(Permanent):
    """This address cannot be used: it must be a public one, by http or https."""

    code, status = "address_refused", 422
    remedy = "Give an address that anybody on the internet can open."


class HostUnknown(Permanent):
    """The host of this address is not known; check its spelling."""

    code, status = "host_unknown", 422
    remedy = "Check the address for a spelling mistake."


class RemoteTimeout(Transient):
    """The address did not answer in time."""

    code, status = "remote_timeout", 503


class Unreachable(Transient):
    """The address could not be reached."""

    code, status = "unreachable", 503


class AnswerTooLong(Permanent):
    """What the address answers is longer than this server accepts."""

    code, status = "answer_too_long", 422
    remedy = "Download the file and upload a smaller part of it."


class UnreadableAnswer(Permanent):
    """The address answers in a compressed form that was not asked for."""

    code, status = "unreadable_answer", 422
    remedy = "Download the file and upload it."


class TooManyRedirects(Permanent):
    """The address leads from one redirect to the next."""

    code, status = "too_many_redirects", 422
    remedy = "Give the address that the redirects lead to."


class TooManyEndpoints(Permanent):
    """The organisation has as many webhook endpoints as it may have."""

    code, status = "too_many_endpoints", 409


class EndpointDisabled(Permanent):
    """The webhook endpoint is disabled. Enable it first."""

    code, status = "endpoint_disabled", 409


class BadStatus(Permanent):
    """The address answers with an error instead of a file."""

    code, status = "bad_status", 422
    remedy = "Check that the address opens without signing in."
