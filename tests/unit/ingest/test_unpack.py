"""Archives: their documents come out, and nothing that they claim is believed."""

import io
import stat
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.ingest.unpack import Entry, Limits, entries, is_zip
from schemas.errors.files import Bomb, Damaged, TooManyDocuments, WrongPassword
from schemas.errors.tree import AuraError

Part = tuple[str | zipfile.ZipInfo, bytes]


def archive(*parts: Part, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as packed:
        for name, content in parts:
            packed.writestr(name, content, compression)
    return buffer.getvalue()


def named(raw: bytes, content: bytes = b"some words") -> bytes:
    """Return an archive of one file, whose name is these bytes and is not said to be UTF-8."""
    placeholder = "n" * len(raw)
    return archive((placeholder, content)).replace(placeholder.encode(), raw)


def unpacked(data: bytes, password: str | None = None, limits: Limits | None = None) -> dict[str, bytes | str]:
    """Return what is in an archive by folder and name: the bytes of a document, or the code of its error."""
    found: dict[str, bytes | str] = {}
    for entry in entries(io.BytesIO(data), password, limits or Limits()):
        assert (entry.stream is None) != (entry.error is None)
        path = "/".join(filter(None, (entry.folder, entry.name)))
        try:
            found[path] = entry.stream.read() if entry.stream else code(entry)
        except AuraError as error:
            found[path] = error.code
    return found


def code(entry: Entry) -> str:
    assert entry.error is not None
    assert entry.error.detail.endswith(".")
    return entry.error.code


def test_documents_come_with_their_folder_and_what_systems_leave_does_not() -> None:
    data = archive(
        ("reports/2024/a.txt", b"one"),
        ("reports/", b""),
        ("b.md", b"two"),
        ("__MACOSX/reports/._a.txt", b"fork"),
        (".DS_Store", b"x"),
        ("reports/Thumbs.db", b"x"),
        ("~$letter.docx", b"x"),
    )
    assert unpacked(data) == {"reports/2024/a.txt": b"one", "b.md": b"two"}


def test_an_archive_on_disk_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(archive(("a.txt", b"words " * 10_000)))
    (entry,) = [(entry.name, entry.stream.read() if entry.stream else b"") for entry in entries(path)]
    assert entry == ("a.txt", b"words " * 10_000)


def link(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (("../up.txt", b"x"), {"up.txt": "unsafe_entry"}),
        (("a/../../up.txt", b"x"), {"up.txt": "unsafe_entry"}),
        (("..\\up.txt", b"x"), {"up.txt": "unsafe_entry"}),
        (("/etc/passwd", b"x"), {"passwd": "unsafe_entry"}),
        (("C:\\windows\\a.txt", b"x"), {"a.txt": "unsafe_entry"}),
        ((link("a.txt", stat.S_IFLNK), b"/etc/passwd"), {"a.txt": "unsafe_entry"}),
        ((link("a.txt", stat.S_IFCHR), b""), {"a.txt": "unsafe_entry"}),
        ((link("a.txt", stat.S_IFREG), b"words"), {"a.txt": b"words"}),
        (("inner.zip", archive(("a.txt", b"x"))), {"inner.zip": "nested_archive"}),
        (("inner", archive(("a.txt", b"x"))), {"inner": "nested_archive"}),
        (("a.tar.gz", b"\x1f\x8b\x08"), {"a.tar.gz": "nested_archive"}),
        (("a.exe", b"MZ\x90\0"), {"a.exe": "unsupported_type"}),
        (("a.txt", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff"), {"a.txt": "type_mismatch"}),
        (("a.txt", b""), {"a.txt": "empty_file"}),
        (("./a//b/.\\c.txt", b"words"), {"a/b/c.txt": b"words"}),
        (("x\u202efdp.txt", b"words"), {"xfdp.txt": b"words"}),
        (("CON.txt", b"words"), {"_CON.txt": b"words"}),
    ],
)
def test_each_entry_is_judged_alone(part: Part, expected: dict[str, bytes | str]) -> None:
    assert unpacked(archive(("first.txt", b"one"), part)) == {"first.txt": b"one"} | expected


def test_office_files_are_documents_not_archives() -> None:
    docx = archive(("[Content_Types].xml", b"<x/>" * 5_000), ("word/document.xml", b"<x/>"))
    assert unpacked(archive(("a.docx", docx))) == {"a.docx": docx}
    assert not is_zip(docx)
    assert is_zip(archive(("a.txt", b"x")))
    assert is_zip(archive())
    assert not is_zip(b"%PDF-1.7")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Größe.txt".encode("cp437"), "Größe.txt"),
        ("Größe.txt".encode(), "Größe.txt"),
        ("会議資料.txt".encode("cp932"), "会議資料.txt"),
        ("メモ2024.txt".encode("cp932"), "メモ2024.txt"),
        ("フォルダ/議事録.txt".encode("cp932"), "フォルダ/議事録.txt"),
        ("Übersicht Straße.txt".encode("cp437"), "Übersicht Straße.txt"),
    ],
)
def test_names_are_read_in_the_encoding_they_were_written_in(raw: bytes, name: str) -> None:
    assert unpacked(named(raw)) == {name: b"some words"}


def test_names_that_say_their_encoding_are_believed() -> None:
    assert unpacked(archive(("議事録/Ärger.txt", b"x y"))) == {"議事録/Ärger.txt": b"x y"}


def locked(password: bytes) -> bytes:
    """Return an archive of one file, encrypted as PKZIP did (APPNOTE 6.1)."""
    import binascii
    import zlib

    content = b"a secret that is long enough to be checked"
    data = bytearray(archive(("a.txt", content), compression=zipfile.ZIP_STORED))
    keys = [0x12345678, 0x23456789, 0x34567890]

    def mix(byte: int) -> None:
        keys[0] = ~binascii.crc32(bytes([byte]), ~keys[0] & 0xFFFFFFFF) & 0xFFFFFFFF
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = ~binascii.crc32(bytes([keys[1] >> 24]), ~keys[2] & 0xFFFFFFFF) & 0xFFFFFFFF

    for byte in password:
        mix(byte)
    secret = bytearray()
    for byte in bytes(11) + bytes([zlib.crc32(content) >> 24]) + content:
        key = keys[2] | 2
        secret.append(byte ^ ((key * (key ^ 1)) >> 8 & 0xFF))
        mix(byte)
    at = data.index(content)
    directory = data.index(b"PK\x01\x02")
    data[6] |= 1
    data[directory + 8] |= 1
    data[18:22] = data[directory + 20 : directory + 24] = struct.pack("<I", len(secret))
    end = data.rindex(b"PK\x05\x06")
    data[end + 16 : end + 20] = struct.pack("<I", directory + 12)
    data[at : at + len(content)] = secret
    return bytes(data)


def aes(password: bytes) -> bytes:
    pyzipper = pytest.importorskip("pyzipper")
    buffer = io.BytesIO()
    with pyzipper.AESZipFile(buffer, "w", zipfile.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as packed:
        packed.setpassword(password)
        packed.writestr("a.txt", b"a secret that is long enough to be checked")
    return bytes(buffer.getvalue())


@pytest.mark.parametrize("lock", [locked, aes])
def test_a_password_opens_what_it_locks(lock: Callable[[bytes], bytes]) -> None:
    data = lock(b"sesame")
    assert unpacked(data) == {"a.txt": "encrypted"}
    assert unpacked(data, "sesame") == {"a.txt": b"a secret that is long enough to be checked"}
    wrong = {str(unpacked(data, f"wrong {i}")) for i in range(600)}
    assert wrong == {str({"a.txt": WrongPassword.code})}


def test_limits_hold() -> None:
    many = archive(*((f"{i}.txt", b"x") for i in range(21)))
    with pytest.raises(TooManyDocuments):
        unpacked(many, limits=Limits(max_documents=20))
    big = archive(("a.txt", b"x y " * 500), ("b.txt", b"words"))
    assert unpacked(big, limits=Limits(max_file_bytes=1_000)) == {"a.txt": "file_too_large", "b.txt": b"words"}
    total = unpacked(archive(*((f"{i}.txt", b"x y " * 250) for i in range(5))), limits=Limits(max_total_bytes=3_500))
    assert [one if isinstance(one, str) else len(one) for one in total.values()] == [
        *(1_000, 1_000, 1_000),
        *("unpacks_too_large", "unpacks_too_large"),
    ]


def test_what_is_not_read_leaves_the_next_unharmed() -> None:
    found = [entry.name for entry in entries(io.BytesIO(archive(("a.txt", b"x y " * 99_999), ("b.txt", b"x"))))]
    assert found == ["a.txt", "b.txt"]


def test_zeros_are_not_unpacked() -> None:
    assert unpacked(archive(("a.txt", bytes(64 << 20)), ("b.txt", b"words"))) == {
        "a.txt": "unpacks_too_large",
        "b.txt": b"words",
    }


def resized(data: bytes, size: int) -> bytes:
    """Return an archive whose directory says that its first file has this size."""
    changed = bytearray(data)
    at = data.index(b"PK\x01\x02")
    changed[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(changed)


def test_a_size_that_lies_is_damage() -> None:
    data = archive(("a.txt", bytes(range(32, 127)) * 100_000))
    tracemalloc.start()
    assert unpacked(resized(data, 10)) == {"a.txt": "damaged"}
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_entries_that_share_bytes_are_read_once() -> None:
    data = bytearray(archive(("a.txt", b"one " * 100), ("b.txt", b"two " * 100)))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)
    assert unpacked(bytes(data)) == {"a.txt": b"one " * 100, "b.txt": "unpacks_too_large"}


def test_a_hundred_thousand_entries_are_refused_soon() -> None:
    data = archive(*((f"{i}.txt", b"") for i in range(1)))
    head, directory = data[: data.index(b"PK\x01\x02")], data[data.index(b"PK\x01\x02") : data.index(b"PK\x05\x06")]
    for count, error in ((100_000, TooManyDocuments), (1_000_000, Bomb)):
        end = struct.pack(
            "<4s4H2LH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory) * count, len(head), 0
        )
        began = time.process_time()
        with pytest.raises(error):
            unpacked(head + directory * count + end)
        assert time.process_time() - began < 10


def test_a_broken_archive_is_damage() -> None:
    whole = archive(("a.txt", b"words " * 100), ("folder/b.md", b"more words"))
    for data in (b"", b"PK\x03\x04", whole[: len(whole) // 2], b"x" * 1_000, b"PK\x05\x06" + bytes(10)):
        with pytest.raises(Damaged):
            unpacked(data)


def test_flipped_and_cut_archives_raise_nothing_else() -> None:
    whole = archive(("a.txt", b"words " * 20), ("folder/b.md", b"more words")) + locked(b"x")
    began = time.process_time()
    for at in range(len(whole)):
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            try:
                unpacked(data, "x")
            except AuraError:
                continue
    assert time.process_time() - began < 30
