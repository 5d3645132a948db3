"""Visits to every operation: by whom, with which ids and bodies, and when somebody new has to come."""

import itertools
from typing import Any
from uuid import UUID, uuid4

import psycopg
from flask import Flask
from schemathesis import APIOperation, Case, Response
from werkzeug.test import Client, TestResponse

from tests.integration.attack.matrix import Operation
from tests.integration.contract.known import BOUNDARY, FILES, KNOWN, THINGS, USING_UP, form
from tests.integration.contract.organisations import SITE, Organisation, found, new_operator

ENOUGH_LEFT = 40
"""Calls that somebody must have left of their minute for one more example."""


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
            self.door.remaining = ENOUGH_LEFT
        self._here = self._here or found(self._admin)
        return self._here

    def headers(self, case: Case) -> dict[str, str]:
        """Return who calls this operation: an operator where organisations are administered, else an admin.

        What the widget asks comes from a visitor of the site on which it stands.
        """
        if case.operation.path.startswith("/api/widget/"):
            opened = {"Authorization": f"Bearer {self.here.visitor_token}"} if is_secured(case.operation) else {}
            return {"Origin": SITE, **opened}
        if not is_secured(case.operation):
            return {}
        token = self.here.access_token
        if case.operation.path.startswith("/api/tenants"):
            token = self._operator = self._operator or new_operator()
        return {"Authorization": f"Bearer {token}"}

    def call(self, case: Case, **options: Any) -> Response:
        """Send the case, check the answer, and let somebody new follow where nothing is as it was."""
        headers = self.headers(case)
        response = case.call_and_validate(session=self.door, app=self.door.application, headers=headers, **options)
        self.went(case, response.status_code)
        return response

    def call_as_nobody(self, case: Case, **headers: str) -> Response:
        """Send the case without a credential."""
        return case.call(session=self.door, app=self.door.application, headers=headers)

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

    def make_real(self, case: Case) -> None:
        """Put what is there, and what nobody can make up, in place of what was drawn.

        In a case that is to be refused, this is done to its ids only.
        """
        label = case.operation.label
        if "key" in case.path_parameters and len(str(case.path_parameters["key"])) == 32:
            case.path_parameters["key"] = self.here.marked.texts["assistant_key"]
        if _is_uuid(case.path_parameters.get("id")):
            case.path_parameters["id"] = str(self._id(label))
        if "user_id" in case.path_parameters:
            case.path_parameters["user_id"] = self.here.marked.canary
        if label == "DELETE /api/memory/preferences/{key}":
            theirs = (str(self.here.user_id), self.here.tenant_id)
            self._admin.execute("UPDATE user_preferences SET user_id = %s WHERE tenant_id = %s", theirs)
            case.path_parameters["key"] = "note"
        if label == "DELETE /api/tenant/provider-keys/{provider}":
            self.door.put(case.formatted_path, json={"key": "one-of-theirs"}, headers=self.headers(case))
        if case.meta is not None and not case.meta.generation.mode.is_positive:
            return
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = uuid4().hex
        if label in KNOWN and isinstance(case.body, dict):
            case.body = {**case.body, **KNOWN[label](self.here)}
        if case.operation.path in FILES:
            case.body = form(*FILES[case.operation.path]())
            case.headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"

    def _id(self, label: str) -> UUID:
        """Return the id of something that the operation is about."""
        ids, path = self.here.marked.ids, label.partition(" ")[2]
        if path.startswith("/api/tenants/"):
            return self.here.tenant_id
        if path.startswith("/api/me/sessions/"):
            return self.here.another_login()
        if path.endswith("/invitation"):
            self._admin.execute("UPDATE tenant_users SET password_hash = NULL WHERE user_id = %s", (ids["user"],))
        if path.startswith("/api/widget/turns/"):
            theirs = (self.here.visitor, ids["conversation"])
            self._admin.execute("UPDATE conversations SET user_id = %s WHERE conversation_id = %s", theirs)
        elif path.startswith("/api/widget/"):
            return self.here.widget_id
        if label in ("DELETE /api/jobs/{id}", "DELETE /api/widget/turns/{id}"):
            self._admin.execute("UPDATE turns SET status = 'queued' WHERE turn_id = %s", (ids["turn"],))
        return ids[next(name for part, name in THINGS.items() if part in path)]


def is_secured(operation: APIOperation) -> bool:
    """Return whether the operation asks who is there."""
    return bool(operation.definition.raw["security"])


def _is_uuid(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
