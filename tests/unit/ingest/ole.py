"""OLE files ([MS-CFB]) and Outlook messages in them, written by the tests."""

import struct
from collections.abc import Mapping
from typing import TypeAlias

Tree: TypeAlias = Mapping[str, "bytes | Tree"]

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_END, _FREE, _FAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF


def ole(tree: Tree) -> bytes:
    """Return an OLE file with these folders and streams."""
    entries: list[tuple[str, int, bytes, int, int]] = []  # name, type, data, child, right sibling

    def add(name: str, value: "bytes | Tree", kind: int) -> int:
        index = len(entries)
        entries.append((name, kind, value if isinstance(value, bytes) else b"", _NONE, _NONE))
        if not isinstance(value, bytes):
            following = _NONE
            for key, inner in reversed(value.items()):
                at = add(key, inner, 2 if isinstance(inner, bytes) else 1)
                entries[at] = (*entries[at][:4], following)
                following = at
            entries[index] = (*entries[index][:3], following, entries[index][4])
        return index

    add("Root Entry", tree, 5)
    mini, mini_fat, sectors, fat = bytearray(), list[int](), bytearray(), list[int]()

    def chain(data: bytes, table: list[int], space: bytearray, size: int) -> int:
        if not data:
            return _END
        first, count = len(table), -(-len(data) // size)
        table.extend([*range(first + 1, first + count), _END])
        space.extend(data.ljust(count * size, b"\0"))
        return first

    starts = []
    for _, kind, data, _, _ in entries:
        small = len(data) < _CUTOFF
        table, space, size = (mini_fat, mini, _MINI) if small else (fat, sectors, _SECTOR)
        starts.append(chain(data, table, space, size) if kind == 2 else 0)
    root = chain(bytes(mini), fat, sectors, _SECTOR)
    mini_start = chain(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(_SECTOR, b"\xff"), fat, sectors, _SECTOR)
    directory = b""
    for (name, kind, data, child, right), start in zip(entries, starts, strict=True):
        wide = name.encode("utf-16-le") + b"\0\0"
        size = len(mini) if kind == 5 else len(data)
        first = root if kind == 5 else start
        directory += wide.ljust(64, b"\0") + struct.pack("<HBBIII", len(wide), kind, 1, _NONE, right, child)
        directory += bytes(36) + struct.pack("<IQ", first, size)
    directory_start = chain(directory, fat, sectors, _SECTOR)
    fat_sectors = -(-(len(fat) + 1) // 128)
    while len(fat) + fat_sectors > fat_sectors * 128:
        fat_sectors += 1
    fat_start = len(fat)
    fat += [_FAT] * fat_sectors
    fat += [_FREE] * (fat_sectors * 128 - len(fat))
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, fat_sectors, directory_start, 0, _CUTOFF, mini_start, 1, _END, 0)
    head += struct.pack("<109I", *range(fat_start, fat_start + fat_sectors), *[_FREE] * (109 - fat_sectors))
    return head + bytes(sectors) + struct.pack(f"<{len(fat)}I", *fat)


def properties(texts: Mapping[int, str | bytes], header_bytes: int, fixed: Mapping[int, int] | None = None) -> Tree:
    """Return the streams of a message's or an attachment's properties: text in UTF-16, bytes as they are."""
    made: dict[str, bytes | Tree] = {}
    table = bytes(header_bytes)
    for number, value in texts.items():
        kind, data = ("001F", value.encode("utf-16-le")) if isinstance(value, str) else ("0102", value)
        made[f"__substg1.0_{number:04X}{kind}"] = data
        table += struct.pack("<HHIQ", int(kind, 16), number, 6, len(data))
    for number, held in (fixed or {}).items():
        table += struct.pack("<HHIQ", 0x0040 if held > 2**32 else 0x0003, number, 6, held)
    return {"__properties_version1.0": table, **made}
