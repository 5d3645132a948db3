"""Zips made to do harm, and how each of their entries may end."""

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.hostile.bad import PROCESSED
from tests.hostile.bad_files import EICAR, EXE
from tests.hostile.bombs import bomb, docx, entry, listed, zeros
from tests.unit.ingest.test_unpack import archive, link, locked


@dataclass(frozen=True)
class BadArchive:
    """A zip, the code it ends with as a whole (None: it is taken in), and the end of each entry by its name."""

    filename: str
    make: Callable[[], bytes]
    items: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None
    password: str | None = None


def note(about: str) -> tuple[str, bytes]:
    """Return a good entry, which nothing beside it may harm."""
    return "good.txt", f"A good note beside {about}.".encode()


def hundred_thousand() -> bytes:
    local, line = entry("a.txt", b"\x03\x00", 0)
    return listed(local, line * 100_000, 100_000)


def zero_entries() -> bytes:
    """Return a zip of a gigabyte of zeros that says so, another that says 1,000 bytes, and a note."""
    parts = [("honest.txt", zeros(1024), 1 << 30), ("liar.txt", zeros(1024), 1000), ("good.txt", b"", 0)]
    entries = lines = b""
    for name, packed, size in parts[:2]:
        local, line = entry(name, packed, size, len(entries))
        entries, lines = entries + local, lines + line
    return listed(entries, lines, 2)


def sharing() -> bytes:
    """Return a zip whose second entry is the first one's bytes."""
    data = bytearray(archive(("a.txt", b"Overlapping words. " * 20), ("b.txt", b"Other words. " * 20)))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)
    return bytes(data)


def slipping() -> bytes:
    return archive(
        note("paths"),
        ("../up.txt", b"Up one."),
        ("a/../../../two.txt", b"Up two."),
        ("..\\back.txt", b"Up three."),
        ("/etc/cron.d/job.txt", b"From the root."),
        ("C:\\windows\\drive.txt", b"On a drive."),
        (link("link.txt", stat.S_IFLNK), b"/etc/passwd"),
        (link("device.txt", stat.S_IFCHR), b""),
        ("CON.txt", b"A reserved name."),
        ("x\u202efdp.txt", b"A name that reads backwards."),
        (f"{'n' * 300}.txt", b"A long name."),
    )


ARCHIVES = (
    BadArchive(
        "nested.zip",
        lambda: archive(
            note("a zip"), ("in.zip", archive(("a.txt", b"Inside."))), ("in", archive(("b.txt", b"Inside, too.")))
        ),
        {"good.txt": PROCESSED, "in.zip": "nested_archive", "in": "nested_archive"},
    ),
    BadArchive("hundred-thousand.zip", hundred_thousand, code="too_many_documents"),
    BadArchive("zeros.zip", zero_entries, {"honest.txt": "file_too_large", "liar.txt": "damaged"}),
    BadArchive("sharing.zip", sharing, {"a.txt": PROCESSED, "b.txt": "unpacks_too_large"}),
    BadArchive(
        "slip.zip",
        slipping,
        {
            "good.txt": PROCESSED,
            **dict.fromkeys(
                ("up.txt", "two.txt", "back.txt", "job.txt", "drive.txt", "link.txt", "device.txt"), "unsafe_entry"
            ),
            "_CON.txt": PROCESSED,
            "xfdp.txt": PROCESSED,
            f"{'n' * 251}.txt": PROCESSED,
        },
    ),
    BadArchive(
        "mixed.zip",
        lambda: archive(
            note("others"),
            ("a.exe", EXE),
            ("exe.pdf", EXE),
            ("empty.txt", b""),
            ("eicar.txt", EICAR + b"\n"),
            ("bomb.docx", bomb(1023, 1023 << 20)),
            ("letter.docx", docx("A letter in a zip.")),
        ),
        {
            "good.txt": PROCESSED,
            "a.exe": "unsupported_type",
            "exe.pdf": "type_mismatch",
            "empty.txt": "empty_file",
            "eicar.txt": PROCESSED,
            "bomb.docx": "unpacks_too_large",
            "letter.docx": PROCESSED,
        },
    ),
    BadArchive("locked.zip", lambda: locked(b"sesame"), {"a.txt": "encrypted"}),
    BadArchive("opened.zip", lambda: locked(b"sesam"), {"a.txt": PROCESSED}, password="sesam"),
    BadArchive(
        "cut.zip",
        lambda: archive(("a.txt", b"Words that are cut. " * 100), ("b.txt", bytes(range(256)) * 40))[:300],
        code="damaged",
    ),
    BadArchive("nothing.zip", archive),
)
