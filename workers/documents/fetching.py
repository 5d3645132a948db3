"""A file from a web address: fetched, and given the name of what it really is."""

import re
from email.message import Message
from html import unescape
from io import BytesIO
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pipelines import outbound
from pipelines.ingest.sniff import HEAD_BYTES, by_mime, file_type, safe_filename
from pipelines.outbound import Fetched
from schemas.errors.addresses import BadStatus, RemoteTimeout, Unreachable
from schemas.errors.tree import Permanent
from schemas.settings import get_settings

TRIES = 2
"""An address that does not answer is tried once more."""

_TITLE = re.compile(rb"<title[^>]*>([^<]{1,500})", re.IGNORECASE)


def fetch(url: str) -> tuple[str, BytesIO]:
    """Return name and bytes of what is at `url`.

    Raises AddressRefused, HostUnknown, RemoteTimeout, Unreachable, BadStatus, and as `outbound.fetch`.
    """
    settings = get_settings()
    for left in reversed(range(TRIES)):
        try:
            found = outbound.fetch(url, max_bytes=settings.max_upload_mb << 20, timeout_s=settings.fetch_timeout_s)
            break
        except (RemoteTimeout, Unreachable):
            if not left:
                raise
    if not 200 <= found.status < 300:
        raise BadStatus(f"The address answers with status {found.status} instead of a file.")
    return name_of(found), BytesIO(found.body)


def name_of(found: Fetched) -> str:
    """Return a name for what was fetched, whose suffix says what it is where anything tells that.

    The name that the server gives goes before that in the address, and before a page's title. The content
    decides; the content type helps where a name says nothing or something else.
    """
    name = _disposed(found) or _of_address(found)
    head, tail = found.body[:HEAD_BYTES], found.body[-HEAD_BYTES:]
    suffix = by_mime(_header(found, "content-type") or "")
    candidates = [name, f"{name}{suffix}"] if suffix else [name]
    if not PurePosixPath(name).suffix:
        candidates.reverse()
    if suffix and PurePosixPath(name).suffix:
        candidates.append(f"{PurePosixPath(name).stem}{suffix}")
    for candidate in candidates:
        try:
            kind = file_type(candidate, head, tail)
        except Permanent:
            continue
        if kind == "html" and not PurePosixPath(_of_path(found)).stem and not _disposed(found):
            return safe_filename(f"{_title(found) or _host(found)}.html")
        return candidate if PurePosixPath(candidate).suffix else f"{candidate}.{kind}"
    return name


def _disposed(found: Fetched) -> str | None:
    message = Message()
    message["Content-Disposition"] = _header(found, "content-disposition") or ""
    name = message.get_filename()
    return safe_filename(name) if name else None


def _of_address(found: Fetched) -> str:
    return safe_filename(_of_path(found) or _host(found).replace(".", "-"))


def _of_path(found: Fetched) -> str:
    return unquote(urlsplit(found.final_url).path.rstrip("/").rpartition("/")[2])


def _host(found: Fetched) -> str:
    return urlsplit(found.final_url).hostname or "page"


def _title(found: Fetched) -> str:
    match = _TITLE.search(found.body[: 1 << 16])
    words = " ".join(unescape(match[1].decode("utf-8", "replace")).split()) if match else ""
    return words.replace("/", "-")[:120]


def _header(found: Fetched, name: str) -> str | None:
    return next((value for key, value in found.headers if key.lower() == name), None)
