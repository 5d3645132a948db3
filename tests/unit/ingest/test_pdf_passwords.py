"""A locked file opens with its password, and says which of two things is wrong without it."""

import hashlib
from pathlib import Path

import pytest

from pipelines.ingest.formats.pdf import count_pages, read
from schemas.errors.files import Encrypted, WrongPassword
from tests.unit.ingest.pdfs import document, text

PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
PLAIN = document([text(60, 700, "Kept under lock and key.")])


def rc4(key: bytes, data: bytes) -> bytes:
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


def locked(data: bytes, user: str, owner: str) -> bytes:
    """Return a file made by `pdfs.document`, of one page, locked as PDF 1.1 has it (40 bits of RC4)."""
    padded_user, padded_owner = ((word.encode("latin-1") + PADDING)[:32] for word in (user, owner))
    o = rc4(hashlib.md5(padded_owner).digest()[:5], padded_user)
    key = hashlib.md5(padded_user + o + (-4).to_bytes(4, "little", signed=True) + bytes(16)).digest()[:5]
    u = rc4(key, PADDING)
    number = data.count(b" 0 obj\n")
    head, _, rest = data.rpartition(b"stream\n")
    before, _, body = head.rpartition(b"stream\n")
    content, _, after = body.rpartition(b"\nend")
    content_key = hashlib.md5(key + number.to_bytes(3, "little") + bytes(2)).digest()[:10]
    data = before + b"stream\n" + rc4(content_key, content) + b"\nend" + after + b"stream\n" + rest
    entry = f"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{o.hex()}>/U<{u.hex()}>>>/ID[<{bytes(16).hex()}><{bytes(16).hex()}>]"
    return data.replace(b"trailer<<", b"trailer<<" + entry.encode())


def texts(data: bytes, password: str | None = None) -> list[str]:
    return [element.text for element in read(data, None, lambda _: None, password).elements]


@pytest.mark.parametrize("password", ["open sesame", "owner's own", "Schlüssel"])
def test_a_locked_file_opens_with_either_password(password: str) -> None:
    data = locked(PLAIN, *((password, "other") if password != "owner's own" else ("other", password)))
    assert texts(data, password) == ["Kept under lock and key."]
    assert count_pages(data, password) == 1


def test_a_locked_file_without_a_password_is_not_one_with_a_wrong_password() -> None:
    data = locked(PLAIN, "open sesame", "owner's own")
    for read_it in (lambda key: count_pages(data, key), lambda key: texts(data, key)):
        for none in (None, ""):
            with pytest.raises(Encrypted):
                read_it(none)
        for wrong in ("open", "\ud800", "x" * 1000):
            with pytest.raises(WrongPassword):
                read_it(wrong)


def test_a_file_that_may_only_not_be_changed_needs_no_password_and_minds_none() -> None:
    data = locked(PLAIN, "", "owner's own")
    assert texts(data) == texts(data, "owner's own") == texts(data, "anything") == ["Kept under lock and key."]
    assert texts(PLAIN, "anything") == ["Kept under lock and key."]


def test_a_real_locked_and_a_real_protected_file(shared_data: Path) -> None:
    data = (shared_data / "documents" / "password.pdf").read_bytes()
    with pytest.raises(Encrypted):
        count_pages(data)
    with pytest.raises(WrongPassword):
        count_pages(data, "certainly not this")
    assert count_pages((shared_data / "documents" / "copy-protected.pdf").read_bytes()) == 2
