"""A file that is refused at the door, and an upload in pieces (tus 1.0.0)."""

from schemas.errors.tree import Permanent, Transient


class NoFile(Permanent):
    """The request carries no file. Send it as the form field `file`."""

    code, status = "no_file", 422


class EmptyFile(Permanent):
    """The file is empty."""

    code, status = "empty_file", 422
    remedy = "Check that the file was written to its end, and upload it again."


class FileTooLarge(Permanent):
    """The file is larger than this server accepts."""

    code, status = "file_too_large", 413
    remedy = "Split the file, or ask for a larger limit (AURA_MAX_UPLOAD_MB)."


class UnsupportedType(Permanent):
    """Files of this kind cannot be read."""

    code, status = "unsupported_type", 415
    remedy = "Save it in a format that can be read, such as PDF, DOCX or TXT, and upload that."


class TooManyFiles(Permanent):
    """These are more files than one batch holds."""

    code, status = "too_many_files", 422
    remedy = "Send the rest as another batch."


class BatchClosed(Permanent):
    """The batch takes no more files: it was closed, cancelled, or is done."""

    code, status = "batch_closed", 409
    remedy = "Open another batch."


class TypeMismatch(Permanent):
    """The file's content is not what its name says."""

    code, status = "type_mismatch", 415
    remedy = "Give the file the suffix of what it really is, and upload it again."


class UnknownTusVersion(Permanent):
    """This server speaks tus 1.0.0; say so in the header `Tus-Resumable`."""

    code, status = "unknown_tus_version", 412


class InvalidUpload(Permanent):
    """A header of this upload is missing or is not what the tus protocol asks for."""

    code, status = "invalid_upload", 400


class WrongOffset(Permanent):
    """The piece does not begin where the upload stands. Ask for its offset with HEAD."""

    code, status = "wrong_offset", 409


class WrongChecksum(Permanent):
    """The piece does not have the checksum it came with. Send it again."""

    code, status = "wrong_checksum", 460


class UploadInUse(Transient):
    """Another request is writing to this upload."""

    code, status = "upload_in_use", 423


class UploadExpired(Permanent):
    """This upload was not finished in time and is gone. Begin a new one."""

    code, status = "upload_expired", 410
