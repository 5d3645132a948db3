"""Visits to every operation: by whom, with which ids and bodies, and when somebody new has to come."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import psycopg
from flask import Flask
from schemathesis import APIOperation, Case, Response
from werkzeug.datastructures import FileStorage
from werkzeug.test import Client, TestResponse, stream_encode_multipart

from api import auth
from pipelines.identity import passwords, tokens
from pipelines.identity.tokens import Claims
from pipelines.stores import logins, one_time, tenants, users
from pipelines.stores.database import tenant_session
from pipelines.turn.audio import wav
from schemas.base import DEFAULT_TENANT_ID
from schemas.identity import Purpose, Role
from schemas.tenancy import Tier
from tests.integration.attack.canaries import Marked, fill
from tests.integration.attack.matrix import Operation
from tests.integration.people import PASSWORD

ENOUGH_LEFT = 40
"""Calls that somebody must have left of their minute for one more example, with its probes."""

PLENTY = {"max_users": 100_000, "max_api_calls_monthly": 100_000_000}
TOKEN_S = 3600
OPERATORS = "contract-operator-"


class Door(Client):
    """A client that comes from a new address each time, as the door counts those, and reads answers to their end.

    Streams are left to their reader. `remaining` is what the last counted answer says of its caller's minute.
    """

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self.remaining = ENOUGH_LEFT
        self._addresses = (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in itertools.count(1))

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, environ_base={"REMOTE_ADDR": next(self._addresses)}, **kwargs)
        if response.mimetype != "text/event-stream":
            response.get_data()
            response.close()
        self.remaining = int(response.headers.get("RateLimit-Remaining", self.remaining))
        return response


@dataclass
class Organisation:
    """An organisation with something of everything in it, and its first admin."""

    marked: Marked
    user_id: UUID
    email: str
    access_token: str
    refresh_token: str

    @property
    def tenant_id(self) -> UUID:
        return self.marked.tenant_id


class Visitor:
    """Somebody who calls operations. Whoever used up a credential, a minute or a thing is followed by somebody new."""

    def __init__(self, app: Flask, admin: psycopg.Connection) -> None:
        self.door = Door(app)
        self._admin = admin
        self._here: Organisation | None = None
        self._operator = ""

    @property
    def here(self) -> Organisation:
        """Return the organisation that is visited now."""
        if self.door.remaining < ENOUGH_LEFT:
            self._here, self._operator = None, ""
        if self._here is None:
            self._here = self._found()
        return self._here

    def headers(self, case: Case) -> dict[str, str]:
        """Return who calls this operation: an operator where organisations are administered, else an admin."""
        if not self.is_secured(case):
            return {}
        if case.operation.path.startswith("/api/tenants"):
            self._operator = self._operator or self._new_operator()
            return {"Authorization": f"Bearer {self._operator}"}
        return {"Authorization": f"Bearer {self.here.access_token}"}

    def make_real(self, case: Case) -> None:
        """Put ids of things that are there, and what is known here only, in place of what was made up."""
        label = case.operation.label
        if _is_uuid(case.path_parameters.get("id")):
            case.path_parameters["id"] = str(self._id(label))
        allowed = case.meta is None or case.meta.generation.mode.is_positive
        if label in KNOWN and isinstance(case.body, dict) and allowed:
            case.body = {**case.body, **KNOWN[label](self)}
        if "Idempotency-Key" in case.headers and allowed:
            case.headers["Idempotency-Key"] = uuid4().hex
        if case.operation.path in FILES and isinstance(case.body, dict) and allowed:
            case.body = _form(*FILES[case.operation.path](), case.body)
            case.headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        if label == "DELETE /api/tenant/provider-keys/{provider}":
            key = {"key": "a-key-of-theirs"}
            self.door.put(case.formatted_path, json=key, headers=self.headers(case))

    def call(self, case: Case, **options: Any) -> Response:
        """Send the case, check the answer, and let somebody new follow where nothing is as it was."""
        headers = self.headers(case)
        response = case.call_and_validate(session=self.door, app=self.door.application, headers=headers, **options)
        self.went(case, response.status_code)
        return response

    def went(self, case: Case, status_code: int) -> None:
        """Let somebody new follow where the case has used something up."""
        if status_code < 300 and (case.method == "DELETE" or case.operation.label in USING_UP):
            self._here = None

    def real_case(self, operation: APIOperation, spec: Operation) -> Case:
        """Return the least case that the operation takes."""
        path = {each["name"]: spec.sample(each["schema"]) for each in spec.parameters("path")}
        schema = spec.body()
        body = {"body": spec.sample(schema), "media_type": "application/json"} if schema else {}
        case = operation.Case(path_parameters=path, **body)
        self.make_real(case)
        return case

    def is_secured(self, case: Case) -> bool:
        """Return whether the operation asks who is there."""
        return bool(case.operation.definition.raw["security"])

    def without_credentials(self, case: Case) -> Response:
        """Send the case as nobody."""
        return case.call(session=self.door, app=self.door.application)

    def token(self, purpose: Purpose) -> str:
        """Return a one-time token of somebody in the organisation."""
        with tenant_session(self.here.tenant_id) as session:
            kept = None if purpose is Purpose.INVITATION else _kept_password()
            email = f"{uuid4().hex}@example.org"
            user = users.add(session, self.here.tenant_id, email, Role.USER, password_hash=kept)
            return one_time.issue(session, self.here.tenant_id, user.user_id, purpose).text

    def _id(self, label: str) -> UUID:
        """Return the id of something that the operation is about."""
        ids, path = self.here.marked.ids, label.partition(" ")[2]
        if path.startswith("/api/tenants/"):
            return self.here.tenant_id
        if path.startswith("/api/me/sessions/"):
            return _signed_in(self.here.tenant_id, self.here.user_id, Role.ADMIN)[2]
        if path.endswith("/invitation"):
            self._admin.execute("UPDATE tenant_users SET password_hash = NULL WHERE user_id = %s", (ids["user"],))
        if label == "DELETE /api/jobs/{id}":
            self._admin.execute("UPDATE turns SET status = 'queued' WHERE turn_id = %s", (ids["turn"],))
        return ids[next(name for part, name in THINGS.items() if part in path)]

    def _found(self) -> Organisation:
        email = f"ada-{uuid4().hex[:10]}@example.org"
        # Enough for a thousand calls in a minute: what is tried here is not the limits.
        tenant_id = tenants.found("Acme", email, tier=Tier.ENTERPRISE, others=PLENTY)
        user_id = self._added(tenant_id, email, Role.ADMIN)
        access_token, refresh_token, _ = _signed_in(tenant_id, user_id, Role.ADMIN)
        self.door.remaining = ENOUGH_LEFT
        return Organisation(fill(self._admin, tenant_id), user_id, email, access_token, refresh_token)

    def _new_operator(self) -> str:
        """Return the access token of a new operator."""
        tenant_id = UUID(DEFAULT_TENANT_ID)
        user_id = self._added(tenant_id, f"{OPERATORS}{uuid4().hex}@example.org", Role.OPERATOR)
        return _signed_in(tenant_id, user_id, Role.OPERATOR)[0]

    def _added(self, tenant_id: UUID, email: str, role: Role) -> UUID:
        with tenant_session(tenant_id) as session:
            return users.add(session, tenant_id, email, role, password_hash=_kept_password()).user_id


@lru_cache
def _kept_password() -> str:
    return passwords.hashed(PASSWORD)


def _signed_in(tenant_id: UUID, user_id: UUID, role: Role) -> tuple[str, str, UUID]:
    """Return a new login's tokens and id; the front door would take the time of a password for each."""
    with tenant_session(tenant_id) as session:
        session_id, refreshing = logins.begin(session, tenant_id, user_id, None, None)
    claims = Claims(user_id, tenant_id, "Acme", role, session_id)
    return tokens.signed(claims, auth.key_ring().signing(), TOKEN_S), refreshing.text, session_id


THINGS = {"/users/": "user", "/keys/": "key", "/documents/": "document", "/jobs/": "turn"}


def _of_mine(me: Visitor) -> dict[str, Any]:
    about = {"assistant_key": me.here.marked.texts["assistant_key"], "conversation_id": None, "session_id": None}
    return {**about, "tenant_id": str(me.here.tenant_id), "user_id": None}


def _of_theirs() -> dict[str, Any]:
    """Return what an organisation must have; the document can not say that it is left out rather than null."""
    return {"organization_name": "Acme", "admin_email": f"{uuid4().hex}@example.org", "custom_settings": {"a": 1}}


KNOWN: dict[str, Callable[[Visitor], dict[str, Any]]] = {
    "POST /api/login": lambda me: {"email": me.here.email, "password": PASSWORD, "tenant_subdomain": None},
    "POST /api/token/refresh": lambda me: {"refresh_token": me.here.refresh_token},
    "POST /api/logout": lambda _: {},
    "POST /api/password": lambda _: {"current_password": PASSWORD, "new_password": PASSWORD[::-1]},
    "POST /api/password/forgot": lambda me: {"email": me.here.email, "tenant_subdomain": None},
    "POST /api/password/reset": lambda me: {"token": me.token(Purpose.RESET), "password": PASSWORD},
    "POST /api/invitations/accept": lambda me: {"token": me.token(Purpose.INVITATION), "password": PASSWORD},
    "PATCH /api/tenant": lambda _: _of_theirs(),
    "DELETE /api/tenant": lambda me: {"confirm": me.here.marked.canary},
    "POST /api/tenant/users": lambda _: {"email": f"{uuid4().hex}@example.org"},
    "POST /api/tenants": lambda _: _of_theirs() | {"subdomain": f"s-{uuid4().hex}", "max_users": 9},
    "PATCH /api/tenants/{id}": lambda _: {**_of_theirs(), **LIMITS, "subdomain": f"s-{uuid4().hex}"},
    "POST /api/chat": _of_mine,
    "POST /rag/chat": _of_mine,
}
"""What a body must hold to be taken, and nobody can make up."""

LIMITS = {"subscription_tier": "premium", "max_users": 9, "max_storage_gb": 9, "max_api_calls_monthly": 9}
LIMITS |= {"max_concurrent_sessions": 9, "is_active": True}

USING_UP = frozenset(
    {"POST /api/token/refresh", "POST /api/logout", "POST /api/password", "POST /api/tenant/keys/{id}/rotate"}
)
"""After these the visitor's credentials, or the thing that was asked for, are others."""

BOUNDARY = "boundary"
FILES = {
    "/api/documents/upload": lambda: ("a.txt", f"About {uuid4()}".encode()),
    "/api/voice/transcribe": lambda: ("a.wav", wav(bytes(3200), 16_000)),
}
"""Files that would be read; what is drawn is none."""


def _form(name: str, content: bytes, fields: dict[str, Any]) -> bytes:
    """Return a form with a file; of the fields, those that name nobody."""
    parts = {"file": FileStorage(BytesIO(content), name)} | {key: fields[key] for key in ("language",) if key in fields}
    stream, *_ = stream_encode_multipart(parts, boundary=BOUNDARY)
    return stream.read()


def _is_uuid(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
