"""pypdfium2's plain text extraction, one process a core: the limit that a pipeline over PDFs can reach."""

import multiprocessing
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pypdfium2

CORES = os.cpu_count() or 1
NICE = 10
"""The rank of AURA's readers: on a busy machine another would get another share, and the ratio mean nothing."""


class Pdfium:
    """Processes that wait for files, so that none of them starts while the clock runs."""

    def __init__(self) -> None:
        self._pool = multiprocessing.get_context("spawn").Pool(CORES, os.nice, (NICE,))
        self._pool.map(abs, range(CORES))

    def seconds(self, files: Sequence[Path]) -> tuple[float, float]:
        """Return how long the plain text of all files takes, by the clock and by the processors.

        They are handed out one by one.
        """
        began = time.monotonic()
        cpu_s = sum(self._pool.imap_unordered(read, files))
        return time.monotonic() - began, cpu_s

    def stop(self) -> None:
        self._pool.terminate()
        self._pool.join()


def read(path: Path) -> float:
    """Read the text of all pages of a PDF and return the processor seconds it took."""
    began = time.process_time()
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            page.get_textpage().get_text_bounded()
    return time.process_time() - began


def pages(path: Path) -> int | None:
    """Return the number of pages; None where the file cannot be opened without a password, or at all."""
    try:
        with pypdfium2.PdfDocument(path) as document:
            return len(document)
    except pypdfium2.PdfiumError:
        return None
