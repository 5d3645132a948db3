"""A disk of its own for objects: one that can be full, and whose folder can be away."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SIZE_MIB = 2048
"""What a memory disk may hold; it takes what is in it."""

SPARE_BYTES = 64 << 10


@dataclass(frozen=True)
class Disk:
    """`why_not` says why it cannot be made full here; empty where it can."""

    folder: Path
    why_not: str

    @property
    def objects(self) -> Path:
        """Return the folder that the stack is given."""
        return self.folder / "objects"

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no room but for small things until the block ends."""
        found = os.statvfs(self.folder)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        self._resize(f"{(used + SPARE_BYTES) >> 10}k")
        try:
            yield
        finally:
            self._resize(f"{SIZE_MIB}m")

    @contextmanager
    def away(self) -> Iterator[None]:
        """Take the folder of the objects away until the block ends."""
        elsewhere = self.folder / "elsewhere"
        self.objects.rename(elsewhere)
        try:
            yield
        finally:
            elsewhere.rename(self.objects)

    def _resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.folder)], check=True)


@contextmanager
def disk() -> Iterator[Disk]:
    """Yield a memory disk where mounting is allowed, else a plain folder."""
    with tempfile.TemporaryDirectory(prefix="aura-disk-") as name:
        folder = Path(name)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", name]
        try:
            mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            yield Disk(folder, "there is no mount command")
            return
        if mounted.returncode:
            yield Disk(folder, mounted.stderr.strip())
            return
        try:
            yield Disk(folder, "")
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)
