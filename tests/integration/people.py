"""People who come in through the front door."""

from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "a horse that reads 7 books"


@dataclass
class Person:
    """Somebody who has signed in: requests of theirs carry their token."""

    client: FlaskClient
    login: dict[str, Any]
    email: str
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.login['access_token']}"}

    @property
    def tenant_id(self) -> str:
        return str(self.login["tenant_id"])

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {**self.headers, **options.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.request("POST", path, **options)


def code(response: TestResponse) -> tuple[int, str]:
    """Return a refusal's status and stable code."""
    return response.status_code, (response.json or {})["code"]
