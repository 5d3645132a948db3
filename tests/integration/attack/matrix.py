"""Every way to ask for what another tenant owns, read off the OpenAPI document: new routes come in by themselves."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from tests.integration.attack.canaries import Marked

METHODS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True)
class Operation:
    """One route and method, as documented."""

    method: str
    path: str
    spec: Mapping[str, Any]
    schemas: Mapping[str, Any]

    @property
    def permission(self) -> str:
        return str(self.spec["x-permission"])

    def parameters(self, place: str) -> list[dict[str, Any]]:
        return [each for each in self.spec.get("parameters", []) if each["in"] == place]

    def body(self, kind: str = "application/json") -> dict[str, Any] | None:
        """Return the schema of its body, None where it takes none of this kind."""
        content = self.spec.get("requestBody", {}).get("content", {})
        return self._resolved(content[kind]["schema"]) if kind in content else None

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        return schema

    def sample(self, schema: dict[str, Any]) -> Any:
        """Return the least value that the schema allows: what is required, and nothing else."""
        schema = self._resolved(schema)
        for alternatives in ("anyOf", "oneOf", "allOf"):
            if alternatives in schema:
                return self.sample(schema[alternatives][0])
        if "enum" in schema or "const" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        makers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "object": lambda each: {name: self.sample(each["properties"][name]) for name in each.get("required", [])},
            "array": lambda each: [self.sample(each["items"])] * each.get("minItems", 0),
            "integer": lambda each: each.get("minimum", 1),
            "number": lambda each: each.get("minimum", 1),
            "boolean": lambda _: True,
        }
        return makers.get(schema.get("type", ""), self._text)(schema)

    def _text(self, schema: dict[str, Any]) -> str:
        match schema.get("format"):
            case "uuid":
                return str(uuid4())
            case "date-time":
                return "2099-01-01T00:00:00Z"
        return f"{uuid4().hex}@example.org" if "@" in schema.get("pattern", "") else uuid4().hex

    def takes_text(self, schema: dict[str, Any]) -> bool:
        """Return whether there is a text beyond a few fixed ones that the schema allows."""
        schema = self._resolved(schema)
        kinds = [self._resolved(each) for name in ("anyOf", "oneOf", "allOf") for each in schema.get(name, ())]
        if kinds:
            return any(map(self.takes_text, kinds))
        return schema.get("type", "string") in ("string", "array", "object") and not {"enum", "const"} & set(schema)

    def uuid_fields(self, schema: dict[str, Any]) -> Iterator[str]:
        """Yield the fields of a body that take an id."""
        for name, each in schema.get("properties", {}).items():
            kinds = [each, *each.get("anyOf", [])]
            # Voices are the providers', and no tenant's.
            if any(kind.get("format") == "uuid" for kind in kinds) or (name.endswith("_id") and name != "voice_id"):
                yield name


@dataclass(frozen=True)
class Attack:
    """One request. `twin` is the same with ids that nobody has: both must be answered alike."""

    label: str
    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)
    twin: "Attack | None" = None

    @property
    def place(self) -> str:
        """Return where in the request the value stands."""
        return self.label.partition(" ")[2] if self.label.endswith("in the path") else self.label


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Return every documented operation."""
    schemas = document["components"]["schemas"]
    return [
        Operation(method, path, spec, schemas)
        for path, item in document["paths"].items()
        for method, spec in item.items()
        if method in METHODS
    ]


def attacks(operation: Operation, marked: Marked) -> Iterator[Attack]:
    """Yield every attack on one operation."""
    body = operation.body()
    valid = {"json": operation.sample(body)} if body is not None else {}
    yield from _path_ids(operation, marked, valid)
    path = _filled(operation, itertools.repeat(uuid4()))
    yield Attack("X-Tenant-ID", operation.method, path, {**valid, "headers": {"X-Tenant-ID": str(marked.tenant_id)}})
    yield Attack("tenant_id in the query", operation.method, f"{path}?tenant_id={marked.tenant_id}", valid)
    for parameter in operation.parameters("query"):
        known = (*marked.all_ids(), *marked.texts.values())
        # What takes no text is refused before a row is read, whatever text it is.
        for value in known if operation.takes_text(parameter["schema"]) else known[:2]:
            yield Attack(f"query {parameter['name']}", operation.method, f"{path}?{parameter['name']}={value}", valid)
    if body is not None:
        yield from _body_ids(operation, marked, body, path)
    headers = {"Idempotency-Key": marked.texts["idempotency_key"], "Last-Event-ID": marked.texts["event_id"]}
    yield Attack("keys and places of another", operation.method, path, {**valid, "headers": headers})
    form = operation.body("multipart/form-data")
    if form is not None:
        names = {"tenant_id", "user_id", "assistant_key", *form["properties"]} - {"file"}
        for name in sorted(names):
            value = marked.texts["assistant_key"] if name == "assistant_key" else str(marked.tenant_id)
            yield Attack(f"form {name}", operation.method, path, {"data": {name: value}})


def _path_ids(operation: Operation, marked: Marked, valid: dict[str, Any]) -> Iterator[Attack]:
    if "{" not in operation.path:
        return
    twin = Attack("missing", operation.method, _filled(operation, itertools.repeat(uuid4())), valid)
    for name, known in [("tenant", marked.tenant_id), *marked.ids.items()]:
        yield Attack(f"{name} in the path", operation.method, _filled(operation, itertools.repeat(known)), valid, twin)


def _body_ids(operation: Operation, marked: Marked, schema: dict[str, Any], path: str) -> Iterator[Attack]:
    sample = operation.sample(schema)
    if not isinstance(sample, dict):
        return
    known = [marked.tenant_id, *(marked.ids[name] for name in ("conversation", "turn", "document", "user"))]
    for name in operation.uuid_fields(schema):
        for value in known:
            twin = Attack("missing", operation.method, path, {"json": {**sample, name: str(uuid4())}})
            foreign = {"json": {**sample, name: str(value)}}
            yield Attack(f"body {name}", operation.method, path, foreign, None if name == "tenant_id" else twin)
    for name in ("tenant_id", "role", "permissions", "is_operator", "assistant_key", "email"):
        value = {"tenant_id": str(marked.tenant_id), "role": "operator"}.get(name, marked.texts.get(name, "operate"))
        if name not in schema.get("required", []):
            yield Attack(f"mass-assigned {name}", operation.method, path, {"json": {**sample, name: value}})


def _filled(operation: Operation, ids: Iterator[UUID]) -> str:
    path = operation.path
    for parameter in operation.parameters("path"):
        # Numbers count within a document, whose id is foreign already.
        is_number = parameter["schema"].get("type") == "integer"
        path = path.replace("{" + parameter["name"] + "}", "1" if is_number else str(next(ids)))
    return path
