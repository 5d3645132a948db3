"""Writes `web/src/api/schema.ts` from the OpenAPI document: `python -m deploy.web_client`; `--check` fails on drift."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import api
from api.door.openapi_parts import PROBLEM
from deploy import node

TARGET = node.WEB / "src" / "api" / "schema.ts"


def text() -> str:
    """Return the client's types, as openapi-typescript writes them. Needs no server. Raises RuntimeError."""
    with tempfile.TemporaryDirectory(prefix="aura-client-") as folder:
        document, types = Path(folder, "openapi.json"), Path(folder, "schema.ts")
        app = api.create_app()
        with app.test_request_context():
            document.write_text(json.dumps(_shorter(app.view_functions["openapi_json"]()), sort_keys=True))
        if node.run("exec", "--offline", "--silent", "--", "openapi-typescript", str(document), "-o", str(types)):
            raise RuntimeError("openapi-typescript could not read the document.")
        return types.read_text()


def _shorter(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with one problem for all refusals and without the headers of answers: a quarter of it."""
    short: dict[str, Any] = json.loads(json.dumps(document))
    problem = {"description": "A refusal.", "content": PROBLEM}
    for item in short["paths"].values():
        for operation in item.values():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            answers = {status: answer for status, answer in operation["responses"].items() if status < "4"}
            for answer in answers.values():
                answer.pop("headers", None)
            operation["responses"] = {**answers, "default": problem}
    return short


def main() -> int:
    """Write the file, or check it; return the exit code."""
    for name in [name for name in os.environ if name.startswith("AURA_")]:
        del os.environ[name]
    found = text()
    if "--check" in sys.argv[1:]:
        current = TARGET.exists() and TARGET.read_text() == found
        if not current:
            print(f"{TARGET} is not what the API says. Run `make client`.")
        return 0 if current else 1
    TARGET.write_text(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
