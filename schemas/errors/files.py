"""A file whose content turned out to be at fault."""

from schemas.errors.tree import Permanent


class Encrypted(Permanent):
    """The file is protected by a password. Upload it with its password in the field `password`, or without one."""

    code, status = "encrypted", 422
    remedy = "Upload it again with its password, or without protection."


class WrongPassword(Permanent):
    """The password does not open the file."""

    code, status = "wrong_password", 422
    remedy = "Upload it again with the right password."


class Damaged(Permanent):
    """The file is damaged or cut short and could not be read."""

    code, status = "damaged", 422
    remedy = "Open it in the program that made it, save it anew, and upload that."


class NoText(Permanent):
    """No text was found in the file."""

    code, status = "no_text", 422
    remedy = "If it is a scan, upload a sharper one; if it holds pictures only, there is nothing to find in it."


class Bomb(Permanent):
    """The file unpacks to far more than its size and was not opened."""

    code, status = "unpacks_too_large", 422
    remedy = "Split it into smaller files and upload those."


class TooManyDocuments(Permanent):
    """The archive holds too many documents. Split it."""

    code, status = "too_many_documents", 413
    remedy = "Split the archive into smaller ones."


class NestedArchive(Permanent):
    """Archives within archives are not unpacked. Upload this one by itself."""

    code, status = "nested_archive", 415
    remedy = "Unpack the inner archive and upload what is in it."


class UnsafeEntry(Permanent):
    """This entry of the archive is not a plain file within it."""

    code, status = "unsafe_entry", 422
    remedy = "Leave links out of the archive; upload the files they lead to."


class TooManyAttempts(Permanent):
    """Reading this file stopped the worker repeatedly, so it was put aside."""

    code, status = "too_many_attempts", 422
    remedy = "Save it anew or as PDF and upload that; retry if the machine was at fault."
    may_pass = True
