"""An attachment that ends its reader ends neither the mail nor what else is attached."""

import os
import signal
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from pipelines.ingest import extract
from pipelines.ingest.apart import Limits
from pipelines.ingest.elements import Extraction
from pipelines.ingest.formats import csv_
from schemas.errors.tree import AuraError

HARMLESS = b"The harbour opens at six."


def crash(data: bytes) -> Extraction:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def go_on_for_ever(data: bytes) -> Extraction:
    while True:
        pass


def take_all_memory(data: bytes) -> Extraction:
    return Extraction((), str(bytes(4 << 30)))


def err(data: bytes) -> Extraction:
    raise ZeroDivisionError


def mail() -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "Ada <ada@example.org>", "Figures"
    message.set_content("See what is attached.")
    message.add_attachment(HARMLESS, "text", "plain", filename="before.txt")
    message.add_attachment(b"a,b\n1,2\n3,4\n", "text", "csv", filename="figures.csv")
    message.add_attachment(HARMLESS, "text", "plain", filename="after.txt")
    return message.as_bytes()


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (crash, "its reader crashed over it"),
        (go_on_for_ever, "far more work than its size allows"),
        (take_all_memory, "unpacks to far more"),
        (err, "an error in its reader"),
    ],
)
def test_the_mail_and_its_other_attachments_are_read(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[bytes], Extraction], reason: str
) -> None:
    monkeypatch.setattr(csv_, "read", read)
    monkeypatch.setattr(extract, "limits", lambda pages: Limits(1 << 30, 2))
    found = extract.extract(mail(), "eml", "figures.eml")
    texts = [element.text for element in found.elements]
    assert texts.count(HARMLESS.decode()) == 2 and "See what is attached." in texts
    [said] = [text for text in texts if text.startswith("This attachment was not read")]
    assert reason in said


def test_among_many_files_a_mail_has_limits_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_, "read", crash)
    found = extract.extract_many([(HARMLESS, "txt", "a.txt", None), (mail(), "eml", "figures.eml", None)])
    assert not any(isinstance(one, AuraError) for one in found)
