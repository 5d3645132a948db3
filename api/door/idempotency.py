"""`Idempotency-Key` on every POST: a request that is sent again gets the first one's answer, not its effect.

A key counts for one caller of one tenant, for 24 hours. While its request is in work, the same one is
answered 409; another request with the same key, 422. Kept is the status, the body and the headers in
`KEPT_HEADERS`; not kept are 5xx, 409 and 429, after which a retry is done. Where the answer itself can
not be kept, a stream or a body above `MAX_BODY_BYTES`, replays are sent to its `Location` (303); without
one, a stream's request may be done again, and a large answer is replayed as 204: done, with no more to say.

A process that dies in the middle leaves its key locked until the lease ends; the next request is then
done, though the dead one may have had its effect.
"""

import hashlib
import json
import re
from operator import itemgetter
from typing import TypeVar

import structlog
from flask import Flask, Response, g, request
from werkzeug.datastructures import FileStorage, MultiDict

from api.door.auth import Caller
from api.door.waiting import preferred_wait_s
from pipelines.stores.database import tenant_session
from pipelines.stores.operations import idempotency
from pipelines.stores.operations.idempotency import Claim, Kept, KeyRef
from schemas.errors.providers import StoreUnavailable
from schemas.errors.requests import InvalidRequest

log = structlog.get_logger(__name__)

Value = TypeVar("Value", str, FileStorage)

LEASE_S = 150.0
"""Longer than any view works (an answer or a recording is waited for 120 s); what `Prefer: wait=N` waits is added."""

MAX_BODY_BYTES = 1 << 20
KEPT_HEADERS = ("Content-Type", "Location")
PASSING = frozenset({409, 429})
"""Refusals that may be over at the next try."""


def register(app: Flask) -> None:
    """Hook into the requests of `app`, after what finds out who is asking and parses the body."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_give_up)


def _begin() -> Response | None:
    """Claim the request's key, or answer as it was answered before.

    Raises InvalidRequest, SameKeyOtherRequest, StillRunning, StoreUnavailable.
    """
    if request.method != "POST" or (key := request.headers.get("Idempotency-Key")) is None:
        return None
    asking = g.get("caller")
    if asking is None:
        # A public route: there is nobody whose key this could be.
        return None
    if not re.fullmatch(r"[\x20-\x7e]{1,255}", key):
        raise InvalidRequest("Idempotency-Key: 1 to 255 printable ASCII characters.")
    ref = KeyRef(asking.tenant_id, _actor(asking), key)
    digest = _request_digest()
    with tenant_session(asking.tenant_id) as session:
        found = idempotency.claim(session, ref, digest, LEASE_S + (preferred_wait_s() or 0))
    if isinstance(found, Claim):
        g.idempotency = found
        return None
    replayed = Response(found.body, found.status_code)
    del replayed.headers["Content-Type"]
    replayed.headers.update({**found.headers, "Idempotent-Replayed": "true"})
    return replayed


def _end(response: Response) -> Response:
    """Keep what the claimed request is answered, or give its key back."""
    claimed: Claim | None = g.pop("idempotency", None)
    if claimed is not None:
        _settle(claimed, _kept(response))
    return response


def _give_up(_: BaseException | None) -> None:
    """Give back the key of a request that ended without an answer."""
    claimed: Claim | None = g.pop("idempotency", None)
    if claimed is not None:
        _settle(claimed, None)


def _settle(claimed: Claim, answer: Kept | None) -> None:
    try:
        with tenant_session(claimed.ref.tenant_id) as session:
            if answer is None:
                idempotency.release(session, claimed)
            elif not idempotency.keep(session, claimed, answer):
                log.warning("idempotency.lease_lost", actor=claimed.ref.actor)
    except StoreUnavailable:
        # The answer still goes out; its key is free again when the lease ends.
        log.warning("idempotency.not_kept", actor=claimed.ref.actor)


def _kept(response: Response) -> Kept | None:
    """Return what replays are to get; None where the request may be done again."""
    if response.status_code >= 500 or response.status_code in PASSING:
        return None
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    streamed = response.is_streamed
    if not streamed and (response.calculate_content_length() or 0) <= MAX_BODY_BYTES:
        return Kept(response.status_code, headers, response.get_data())
    if "Location" in headers:
        return Kept(303, {"Location": headers["Location"]})
    return None if streamed else Kept(204, {})


def _actor(asking: Caller) -> str:
    """Return whose key it is: a person's through all logins, or one API key's."""
    return f"{asking.kind}:{asking.credential if asking.kind == 'api_key' else asking.user_id}"


def _request_digest() -> bytes:
    """Return the SHA-256 of what is asked; the same for two forms that differ in their boundary only."""
    parts = [request.method.encode(), request.path.encode(), request.query_string, request.mimetype.encode()]
    if request.mimetype in ("multipart/form-data", "application/x-www-form-urlencoded"):
        for name, value in _by_name(request.form):
            parts += [b"field", name.encode(), value.encode()]
        for name, file in _by_name(request.files):
            parts += [b"file", name.encode(), (file.filename or "").encode(), file.mimetype.encode(), _content(file)]
    elif request.is_json:
        parts.append(_canonical(request.get_json()))
    else:
        parts.append(request.get_data())
    digest = hashlib.sha256()
    for part in parts:
        # Lengths keep two neighbours from being read as one.
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _by_name(fields: MultiDict[str, Value]) -> list[tuple[str, Value]]:
    """Return fields in the order of their names; a part of a form may have none."""
    named = [(name or "", value) for name, value in fields.items(multi=True)]
    return sorted(named, key=itemgetter(0))


def _content(file: FileStorage) -> bytes:
    """Return the SHA-256 of the file's content, read in pieces; the view finds it at its start."""
    digest = hashlib.file_digest(file.stream, "sha256").digest()
    file.stream.seek(0)
    return digest


def _canonical(value: object) -> bytes:
    """Return JSON without its spaces and the order of its names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
