"""What a role and its flags allow."""

from collections.abc import Iterable

from schemas.tables.identity import Permission, Role

EVERYBODY = frozenset({Permission.PUBLIC, Permission.SELF, Permission.CHAT, Permission.DOCUMENTS_READ})
FLAGS = {
    "can_upload_documents": Permission.DOCUMENTS_WRITE,
    "can_modify_ai_settings": Permission.AI_WRITE,
    "can_view_analytics": Permission.ANALYTICS_READ,
}
ADMINS = frozenset({*EVERYBODY, *FLAGS.values(), Permission.WEBHOOKS, Permission.TENANT_ADMIN})

SCOPES = ADMINS - {Permission.PUBLIC, Permission.SELF}
"""What an API key can be given."""

PRESETS: dict[Role, dict[str, bool]] = {
    Role.USER: {"can_upload_documents": True, "can_modify_ai_settings": False, "can_view_analytics": False},
    Role.MANAGER: dict.fromkeys(FLAGS, True),
    Role.ADMIN: dict.fromkeys(FLAGS, True),
}
"""The flags a new user starts with; each can be changed. An admin has all of it whatever the flags say."""


def permissions(role: str, flags: Iterable[str]) -> frozenset[Permission]:
    """Return what a user may do; `flags` are the names of those that are set."""
    match role:
        case Role.OPERATOR:
            return frozenset(Permission) - {Permission.VISIT}
        case Role.ADMIN:
            return ADMINS
        case _:
            return EVERYBODY | {FLAGS[flag] for flag in flags}


def of_scopes(scopes: Iterable[str]) -> frozenset[Permission]:
    """Return what an API key may do; scopes that are no longer known allow nothing."""
    return frozenset({Permission.PUBLIC, Permission.SELF, *SCOPES.intersection(scopes)})
