"""The whole tree of errors. A class's docstring is the sentence its user reads.

`Transient` is tried again, after `retry_after_s`; `Permanent` never is. `code` is stable: clients
may branch on it. `status` is the HTTP status it has at the border (RFC 9457 problem details).
"""

from typing import ClassVar


class AuraError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    remedy: ClassVar[str] = ""
    """What somebody can do about it, where the sentence does not say so already."""

    may_pass: ClassVar[bool] = False
    """Whether the same may work when it is tried again, with nothing changed in what was sent."""

    def __init__(self, detail: str | None = None, **facts: object) -> None:
        self.detail = detail or type(self).sentence()
        self.facts = facts
        super().__init__(self.detail)

    @classmethod
    def sentence(cls) -> str:
        """Return the docstring's first line."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    @staticmethod
    def by_code(code: str, detail: str | None = None) -> "AuraError":
        """Return an error of the class that has this `code`, as a row or a reply kept it."""
        kinds = [AuraError]
        for kind in kinds:
            if kind.code == code:
                return kind(detail)
            kinds += kind.__subclasses__()
        return AuraError(detail)


class Transient(AuraError):
    """This did not work just now; it is tried again by itself."""

    code, status = "temporarily_unavailable", 503
    remedy = "Try it again later."
    may_pass = True

    def __init__(self, detail: str | None = None, *, retry_after_s: float = 1.0, **facts: object) -> None:
        super().__init__(detail, **facts)
        self.retry_after_s = retry_after_s


class ProviderUnavailable(Transient):
    """The provider did not answer. Try again in a moment."""

    code, status = "provider_unavailable", 503


class AnswerCutShort(ProviderUnavailable):
    """The answer broke off: its provider stopped in the middle. Ask again."""

    code, status = "answer_cut_short", 503


class NotHeard(ProviderUnavailable):
    """I could not hear you just now: nothing that listens answers. Please say it again."""

    code, status = "not_heard", 503


class NotSpoken(ProviderUnavailable):
    """Nothing that speaks answers just now. What is said can be read."""

    code, status = "not_spoken", 503


class RateLimited(Transient):
    """The provider asked to slow down. The work goes on when it allows it."""

    code, status = "provider_rate_limited", 429


class StoreUnavailable(Transient):
    """The database or the message store does not answer. Nothing accepted is lost; try again in a moment."""

    code, status = "store_unavailable", 503


class ReaderStopped(Transient):
    """The process that read this file was stopped from outside. The file is read again."""

    code, status = "reader_stopped", 503


class MailNotSent(Transient):
    """The mail server did not take the mail. It is tried again."""

    code, status = "mail_not_sent", 503


class TooBusy(Transient):
    """The server is at its limit of open connections. Try again in a moment."""

    code, status = "too_busy", 503


class TooSlow(Transient):
    """Events come faster than they are read. Come back with the id of the last one."""

    code, status = "too_slow", 503


class Permanent(AuraError):
    """This cannot work as it was asked."""

    code, status = "refused", 400


# A request that cannot be met


class InvalidRequest(Permanent):
    """The request is not valid."""

    code, status = "invalid_request", 422


class MalformedJson(Permanent):
    """The body is not valid JSON."""

    code, status = "malformed_json", 400


class Unauthenticated(Permanent):
    """Sign in first: the request carries no valid token."""

    code, status = "unauthenticated", 401


class Forbidden(Permanent):
    """This is not allowed for you."""

    code, status = "forbidden", 403


class WrongTenant(Forbidden):
    """The tenant named in the request is not yours."""

    code = "wrong_tenant"


class WrongLogin(Unauthenticated):
    """The e-mail, the password or the organisation is wrong."""

    code = "wrong_login"


class TokenExpired(Unauthenticated):
    """The access token has expired. Refresh it."""

    code = "token_expired"


class Revoked(Unauthenticated):
    """This login or key was revoked. Sign in again."""

    code = "revoked"


class InvalidToken(Permanent):
    """The link was used already or is no longer valid. Ask for a new one."""

    code, status = "invalid_token", 422


class Conflict(Permanent):
    """Something with this name exists already."""

    code, status = "conflict", 409


class LastAdmin(Permanent):
    """An organisation keeps at least one active admin."""

    code, status = "last_admin", 409


class TooManyRequests(Transient):
    """Too many requests. Try again after the time named in `Retry-After`."""

    code, status = "too_many_requests", 429


class TooManyTries(TooManyRequests):
    """Too many tries to sign in. Wait a while before the next one."""

    code = "too_many_tries"


class QuotaExceeded(Permanent):
    """The organisation's quota is used up."""

    code, status = "quota_exceeded", 429
    remedy = "Delete documents that are not needed, or ask for a larger quota; then retry."
    may_pass = True


class BudgetExceeded(QuotaExceeded):
    """The organisation's budget for this month is used up."""

    code = "budget_exceeded"
    remedy = "Wait for the next month or raise the budget; then retry."
    may_pass = True


class SameKeyOtherRequest(Permanent):
    """This Idempotency-Key was used for another request."""

    code, status = "idempotency_key_reused", 422


class StillRunning(Transient):
    """The request with this Idempotency-Key is still in work."""

    code, status = "still_running", 409


class Unsealable(AuraError):
    """A kept secret cannot be opened: none of AURA_SECRET_KEYS sealed it."""

    code, status = "unsealable", 500
    remedy = "Ask the operator for the secret that it was sealed with, or upload the file again."


class NotFound(Permanent):
    """There is nothing with this id."""

    code, status = "not_found", 404


class UnknownAssistant(Permanent):
    """There is no assistant with this key."""

    code, status = "unknown_assistant", 404


class InactiveAssistant(Permanent):
    """This assistant is switched off."""

    code, status = "assistant_inactive", 409


class AssistantInUse(Permanent):
    """The assistant owns knowledge: say what is to become of it, `documents=delete` or `documents=shared`."""

    code, status = "assistant_in_use", 409


class ChangedMeanwhile(Permanent):
    """Somebody has changed this meanwhile. Read it again, then repeat the change."""

    code, status = "changed_meanwhile", 412


class NotReady(Permanent):
    """This is not finished yet."""

    code, status = "not_ready", 409


class NoPages(Permanent):
    """Documents of this format have no pages to show; their chunks hold the text and its headings."""

    code, status = "no_pages", 409


class MailRefused(Permanent):
    """The mail server refuses the recipient or the mail for good."""

    code, status = "mail_refused", 422


class MessageTooLong(Permanent):
    """The message is too long."""

    code, status = "message_too_long", 413


class InputTooLong(InvalidRequest):
    """The text is longer than the model reads."""

    code, status = "input_too_long", 422
    remedy = "Shorten the text."


class TextChanged(Permanent):
    """A re-index changed the text that this edit replaced, so the edit was dropped."""

    code, status = "text_changed", 409
    remedy = "Look at the document's chunks and edit the one that holds the text now."


class NotOffered(Permanent):
    """No provider for this is set up here. `flask --app api doctor` says what is missing."""

    code, status = "not_offered", 503
    remedy = "Set up a provider, or a key of one; then retry."
    may_pass = True


# Web addresses that tenants give


class AddressRefused(Permanent):
    """This address cannot be used: it must be a public one, by http or https."""

    code, status = "address_refused", 422
    remedy = "Give an address that anybody on the internet can open."


class HostUnknown(Permanent):
    """The host of this address is not known; check its spelling."""

    code, status = "host_unknown", 422
    remedy = "Check the address for a spelling mistake."


class RemoteTimeout(Transient):
    """The address did not answer in time."""

    code, status = "remote_timeout", 503


class Unreachable(Transient):
    """The address could not be reached."""

    code, status = "unreachable", 503


class AnswerTooLong(Permanent):
    """What the address answers is longer than this server accepts."""

    code, status = "answer_too_long", 422
    remedy = "Download the file and upload a smaller part of it."


class UnreadableAnswer(Permanent):
    """The address answers in a compressed form that was not asked for."""

    code, status = "unreadable_answer", 422
    remedy = "Download the file and upload it."


class TooManyRedirects(Permanent):
    """The address leads from one redirect to the next."""

    code, status = "too_many_redirects", 422
    remedy = "Give the address that the redirects lead to."


class TooManyEndpoints(Permanent):
    """The organisation has as many webhook endpoints as it may have."""

    code, status = "too_many_endpoints", 409


class EndpointDisabled(Permanent):
    """The webhook endpoint is disabled. Enable it first."""

    code, status = "endpoint_disabled", 409


class BadStatus(Permanent):
    """The address answers with an error instead of a file."""

    code, status = "bad_status", 422
    remedy = "Check that the address opens without signing in."


# A file that is refused at the door


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


# An upload in pieces (tus 1.0.0)


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


# A file whose content turned out to be at fault


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


# Sound


class UndecodableAudio(Permanent):
    """The recording could not be decoded. Send WAV, FLAC, MP3, M4A, OGG or WEBM."""

    code, status = "undecodable_audio", 422
    remedy = "Save the recording as WAV, FLAC or MP3 and upload that."


class AudioTooLong(Permanent):
    """The recording is longer than this server accepts."""

    code, status = "audio_too_long", 413
    remedy = "Cut the recording into shorter ones and upload those."


class NoSpeech(Permanent):
    """No speech was heard. Please say it again."""

    code, status = "no_speech", 422
    remedy = "Check that the recording can be heard, and upload a louder one."


class NotStarted(Permanent):
    """Send `start` first."""

    code, status = "not_started", 409


class TooFast(Permanent):
    """Sound comes much faster than it is spoken; it is read at the speed of speech from now on."""

    code, status = "too_fast", 429


class Cancelled(Permanent):
    """This was cancelled."""

    code, status = "cancelled", 409
    remedy = "Retry it if it is wanted after all."
    may_pass = True


class LeaseLost(AuraError):
    """Another worker has taken over; this result is dropped."""

    code, status = "lease_lost", 409


# The stack on this machine


class CannotStart(AuraError):
    """AURA cannot start on this machine as it is."""

    code, status = "cannot_start", 500
