"""Who asks may not come in, or may not have this: logins, roles, rates and quotas."""

from schemas.errors.tree import AuraError, Permanent, Transient


class Unauthenticated(Permanent):
    """Sign in first: the request carries no valid token."""

    code, status = "unauthenticated", 401


class Forbidden(Permanent):
    """This is not allowed for you."""

    code, status = "forbidden", 403


class WrongTenant(Forbidden):
    """The tenant named in the request is not yours."""

    code = "wrong_tenant"


class WrongLogin(Unauthenticated):
    """The e-mail, the password or the organisation is wrong."""

    code = "wrong_login"


class TokenExpired(Unauthenticated):
    """The access token has expired. Refresh it."""

    code = "token_expired"


class Revoked(Unauthenticated):
    """This login or key was revoked. Sign in again."""

    code = "revoked"


class InvalidToken(Permanent):
    """The link was used already or is no longer valid. Ask for a new one."""

    code, status = "invalid_token", 422


class LastAdmin(Permanent):
    """An organisation keeps at least one active admin."""

    code, status = "last_admin", 409


class TooManyRequests(Transient):
    """Too many requests. Try again after the time named in `Retry-After`."""

    code, status = "too_many_requests", 429


class TooManyTries(TooManyRequests):
    """Too many tries to sign in. Wait a while before the next one."""

    code = "too_many_tries"


class QuotaExceeded(Permanent):
    """The organisation's quota is used up."""

    code, status = "quota_exceeded", 429
    remedy = "Delete documents that are not needed, or ask for a larger quota; then retry."
    may_pass = True


class BudgetExceeded(QuotaExceeded):
    """The organisation's budget for this month is used up."""

    code = "budget_exceeded"
    remedy = "Wait for the next month or raise the budget; then retry."
    may_pass = True


class Unsealable(AuraError):
    """A kept secret cannot be opened: none of AURA_SECRET_KEYS sealed it."""

    code, status = "unsealable", 500
    remedy = "Ask the operator for the secret that it was sealed with, or upload the file again."
