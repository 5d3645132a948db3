"""Opening PDF files, with or without a password."""

import pypdfium2 as pdfium
import pypdfium2.raw as c

from schemas.errors.files import Bomb, Damaged, Encrypted, WrongPassword

MAX_PAGES = 20_000
_LOCKED = (c.FPDF_ERR_PASSWORD, c.FPDF_ERR_SECURITY)


def opened(data: bytes, password: str | None) -> pdfium.PdfDocument:
    """Return a file of at most 20,000 pages, opened; the owner's password is as good as the user's.

    A file that is only protected against changes opens without any, and a password too many does no
    harm. Raises Encrypted where a password is needed and none given, WrongPassword, Damaged, Bomb.
    """
    document = _unlocked(data, None)
    if document is None and not password:
        raise Encrypted()
    if document is None:
        document = _unlocked(data, password)
    if document is None:
        raise WrongPassword()
    if len(document) > MAX_PAGES:
        raise Bomb(f"The file has more than {MAX_PAGES} pages.")
    if len(document) == 0:
        raise Damaged("The file has no pages.")
    return document


def _unlocked(data: bytes, password: str | None) -> pdfium.PdfDocument | None:
    """Return the document, None if the password does not open it. Raises Damaged."""
    try:
        return pdfium.PdfDocument(data, password)
    except UnicodeEncodeError:
        return None  # Half a surrogate pair is in nobody's password.
    except pdfium.PdfiumError as error:
        if error.err_code in _LOCKED:
            return None
        raise Damaged() from error
