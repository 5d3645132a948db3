"""Work that somebody stopped or lost, and a stack that cannot start."""

from schemas.errors.tree import AuraError, Permanent


class Cancelled(Permanent):
    """This was cancelled."""

    code, status = "cancelled", 409
    remedy = "Retry it if it is wanted after all."
    may_pass = True


class LeaseLost(AuraError):
    """Another worker has taken over; this result is dropped."""

    code, status = "lease_lost", 409


class CannotStart(AuraError):
    """AURA cannot start on this machine as it is."""

    code, status = "cannot_start", 500
