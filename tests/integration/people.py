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

    def put_json(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a PUT that is taken."""
        response = self.request("PUT", path, json=body)
        assert response.status_code == 200, response.json
        return dict(response.json or {})

    def again(self) -> "Person":
        """Return the same person at a client of their own, for another thread."""
        return Person(self.client.application.test_client(), self.login, self.email)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.request("POST", path, **options)


def code(response: TestResponse) -> tuple[int, str]:
    """Return a refusal's status and stable code."""
    return response.status_code, (response.json or {})["code"]
