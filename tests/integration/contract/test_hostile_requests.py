"""What no document allows is refused as documented: text that is none, numbers without end, broken forms.

Schemathesis draws from what a schema can say; these requests are what it can not.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
import requests
from schemathesis import Case, Response
from schemathesis.core.failures import FailureGroup

from tests.integration.attack.matrix import Operation
from tests.integration.contract.test_contract import CHECKS, EXAMPLES, OPERATIONS, SAME_EACH_TIME, SPECS
from tests.integration.contract.visits import Visitor

TEXTS = (
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udfffb",
    "\uffff",
    "\u202ereversed",
    "²",
    "٣",
    "9" * 30,
    "9" * 5000,
    "1e400",
    "-1",
    "null",
    "../../etc/passwd",
    "' OR 1=1 --",
    "{}[]%s%n",
    "\r\nX-Injected: 1",
    "🤷" * 100,
    "x" * 70_000,
)
BYTES = (b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"%", b"\xf4\x90\x80\x80", b"+", b"a\x00b")
NUMBERS = ("1" * 400, "1" * 5000, "1e400", "-1e400", "1e-400", "-0", "0.1", "NaN", "-Infinity", "true")
MARK = "the number stands here"
DEEP = 100_000

HEADERS = {
    "Accept": ("", "\xff", "text/plain; q=x", "*/*;q=1e9"),
    "Authorization": ("", "Bearer", "Bearer \xff", "bearer \x7f", "Basic Og==", "Bearer " + "a." * 2000),
    "Content-Type": ("\xff", "application/json; charset=\xff"),
    "Cookie": ("\xff=\xff", "=;,"),
    "Expect": ("100-continue", "\xff"),
    "Host": ("", "\xff", "[::1", "a b", "nobody.aura.test", "\xff.aura.test", "-.aura.test:99999"),
    "Idempotency-Key": ("", "\xff", "\x7f", "²", "a" * 256, " "),
    "If-None-Match": ("*", '"'),
    "Last-Event-ID": ("", "\xff", "²", "0-0", "9" * 60, "0-99999999999999999999", "-1", "1-1-1", "$", "+"),
    "Origin": ("null", "\xff", "http://[", "https://evil.test"),
    "Prefer": ("", "wait=²", "wait=٣".encode().decode("latin-1"), "wait=-1", "wait=1, wait=2", "wait=999999", "\xff"),
    "Range": ("bytes=0-1", "bytes=9999999-", "\xff"),
    "Sec-Fetch-Site": ("cross-site", "\xff"),
    "Upgrade": ("websocket", "\xff"),
    "User-Agent": ("", "\xff", "a" * 8000),
    "X-API-Key": ("", "\xff", "aura_sk_", "aura_sk_" + "_" * 64, "aura_tk_" + "-" * 64),
    "X-Forwarded-For": ("\xff", "a, b", "::1%\xff"),
    "X-Tenant-ID": ("\xff", "null", "0" * 36),
}
"""As a server hands them on: bytes above ASCII as Latin-1, no NUL and no line breaks."""

BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "invalid UTF-8": b'{"a": "\xff"}',
    "an overlong form": b'{"a": "\xc0\x80"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a list": b"[]",
    "a text": b'"text"',
    "a number": b"1" * 5000,
    "null": b"null",
    "NaN": b'{"a": NaN}',
    "the same name twice": b'{"a": 1, "a": 2}',
    "NUL": b"\x00",
    "two documents": b"{}{}",
}
KINDS = (
    "application/json",
    "application/json; charset=utf-16",
    "application/json; charset=nonsense",
    "application/merge-patch+json",
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=b",
    "multipart/mixed; boundary=b",
    "application/octet-stream",
    "nonsense",
    "/",
    "",
)
FORMS = (
    b"--b",
    b"--b\r\n\r\n\r\n--b--\r\n",
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello',
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff\x00.txt"\r\n\r\nhello\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="user_id"\r\n\r\na\x00\xff\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="assistant_key"\r\n\r\na\x00\xff\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="tenant_id"\r\n\r\n\x00\r\n--b--\r\n',
    b"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n",
    b"--b\r\nContent-Type: \xff\r\n\r\nx\r\n--b--\r\n",
    b"text=%FF%00&voice_id=%ED%A0%80",
    b"&&&=&=;",
)


@dataclass(frozen=True)
class Request:
    """A request to an operation, and what is odd about it."""

    odd: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)


def hostile(operation: Operation, path: str, real: dict[str, Any]) -> Iterator[Request]:
    """Yield every odd request; `real` is the body that would be taken."""
    valid = {"json": real} if operation.body() is not None else {}
    yield from _places(operation, path, valid)
    for name, texts in HEADERS.items():
        for text in texts:
            yield Request(f"{name}: {text!r}", path, {**valid, "headers": {name: text}})
    if operation.method != "get":
        for odd, data in BODIES.items():
            yield Request(odd, path, {"data": data, "content_type": "application/json"})
        for kind in KINDS:
            yield Request(kind, path, {"data": b'{"a": 1}', "content_type": kind})
        for form in FORMS:
            for kind in ("multipart/form-data; boundary=b", "application/x-www-form-urlencoded"):
                yield Request(f"{kind} {form!r}", path, {"data": form, "content_type": kind})
    for name, schema in (operation.body() or {}).get("properties", {}).items():
        yield from _fields(path, real, name, schema)


def _places(operation: Operation, path: str, valid: dict[str, Any]) -> Iterator[Request]:
    """Yield odd ids in the path, and odd questions."""
    names = {parameter["name"] for parameter in operation.parameters("query")} | {"tenant_id", "ticket", "after"}
    odd = [*BYTES, *(text.encode("utf-8", "surrogatepass") for text in TEXTS if len(text) < 6000)]
    for name in sorted(names):
        for value in odd:
            yield Request(
                f"?{name}={value[:20]!r}", path, {**valid, "query_string": f"{name}={quote_from_bytes(value)}"}
            )
        yield Request(f"?{name} twice", path, {**valid, "query_string": f"{name}=1&{name}=2&{name}[]=3"})
    for value in odd if "{" in operation.path else ():
        before, _, after = operation.path.partition("{")
        yield Request("path", f"{before}{quote_from_bytes(value, safe='')}{after.partition('}')[2]}", valid)


def _fields(path: str, real: dict[str, Any], name: str, schema: dict[str, Any]) -> Iterator[Request]:
    """Yield bodies with something odd in one field."""
    for text in TEXTS:
        for value in (text, [text], {text: text}):
            yield Request(f"{name}={str(value)[:20]!r}", path, {"json": {**real, name: value}})
    for number in NUMBERS:
        for value in (number, f'{{"a": {number}}}'):
            data = json.dumps({**real, name: MARK}).replace(f'"{MARK}"', value)
            yield Request(f"{name}={number[:20]}", path, {"data": data, "content_type": "application/json"})


@pytest.mark.parametrize("name", OPERATIONS)
def test_odd_requests_are_answered_as_documented(name: str, visitor: Visitor) -> None:
    """As many of them as examples are asked for, others for each operation."""
    operation, spec, here, broken = OPERATIONS[name], SPECS[name], None, []
    count = sum(1 for _ in hostile(spec, spec.path, _fields_of(visitor.real_case(operation, spec))))
    chosen = random.Random(name if SAME_EACH_TIME else None).sample(range(count), min(count, EXAMPLES))
    for number in chosen:
        if visitor.here is not here:
            here, case = visitor.here, visitor.real_case(operation, spec)
            odd = list(hostile(spec, case.formatted_path, _fields_of(case)))
        request = odd[number]
        try:
            _send(visitor, case, request)
        except AssertionError as error:
            broken.append(f"{request.odd} at {request.path[:200]}: {error}")
        except FailureGroup as group:
            broken += [f"{request.odd} at {request.path[:200]}: {error}" for error in group.exceptions]
    assert not broken, "\n".join(broken)


def _send(visitor: Visitor, case: Case, request: Request) -> None:
    """Send the request and check its answer; a stream is left at its beginning. Raises AssertionError, FailureGroup."""
    headers = {**visitor.headers(case), **request.options.get("headers", {})}
    with visitor.door.open(request.path, method=case.method, **{**request.options, "headers": headers}) as response:
        visitor.went(case, response.status_code)
        if response.mimetype == "text/event-stream":
            return
        # The request itself is of no interest to the checks, and can not be written down as they want it.
        asked = requests.Request(case.method, "http://localhost/").prepare()
        kept = {name.lower(): [value] for name, value in response.headers}
        case.validate_response(
            Response(response.status_code, kept, response.get_data(), asked, elapsed=0, verify=False), checks=CHECKS
        )


def _fields_of(case: Case) -> dict[str, Any]:
    return case.body if isinstance(case.body, dict) else {}


LISTINGS = [name for name, spec in SPECS.items() if any(each["name"] == "limit" for each in spec.parameters("query"))]


@pytest.mark.parametrize("after", ["²", "٣", "9" * 30, "-1", "\x00", "=", "MjA5OS0wMS0wMXw=", "/" * 40, "🤷"])
@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_takes_no_cursor_but_its_own(name: str, after: str, reader: Visitor) -> None:
    case = reader.real_case(OPERATIONS[name], SPECS[name])
    response = reader.door.get(case.formatted_path, query_string={"after": after}, headers=reader.headers(case))
    assert (response.status_code, response.json["code"]) == (422, "invalid_request")
