"""Sound that cannot be understood, and sockets that are not used as they should be."""

from schemas.errors.tree import Permanent


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
