"""Office files behind a password, opened with it: the old formats and those in an encrypted package."""

import io

from pipelines.ingest.file_types import OLE
from pipelines.ingest.formats.foreign import blamed_on_file
from pipelines.ingest.formats.ole import PACKAGE
from schemas.errors.files import Damaged, Encrypted, WrongPassword
from schemas.errors.uploads import TypeMismatch

_DEFAULT = "VelvetSweatshop"
"""Excel locks with this word what is only guarded against changes, and opens it without asking."""


def unlocked_package(data: bytes, password: str | None, older: str) -> bytes:
    """Return the zip file that a DOCX, PPTX or XLSX is, decrypted if need be.

    Raises Encrypted, WrongPassword, Damaged, or TypeMismatch, saying `older`, for another OLE file.
    """
    if not data.startswith(OLE):
        return data
    if PACKAGE not in data:
        raise TypeMismatch(older)
    try:
        return unlocked(data, password)
    except Damaged as error:
        raise error if password else Encrypted() from error


def unlocked(data: bytes, password: str | None) -> bytes:
    """Return a file that is encrypted without its encryption. Raises Encrypted, WrongPassword, Damaged."""
    from msoffcrypto import OfficeFile  # 40 ms that only locked files pay.
    from msoffcrypto.exceptions import DecryptionError, InvalidKeyError

    out = io.BytesIO()
    with blamed_on_file():
        file = OfficeFile(io.BytesIO(data))
        try:
            file.load_key(password=password or _DEFAULT)
            file.decrypt(out)
        except InvalidKeyError as error:
            raise (WrongPassword if password else Encrypted)() from error
        except DecryptionError as error:
            if password is None:
                raise Encrypted() from error
            raise Damaged("The file is locked in a way that is not known here.") from error
    return out.getvalue()
