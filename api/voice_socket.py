"""`/ws/voice/continuous`: a spoken conversation in JSON messages and binary sound (docs/voice-protocol.md)."""

import time
from collections.abc import Iterator
from typing import Any

import structlog
from flask import Flask, Response, request
from websockets.frames import CloseCode

from api.admission import take_voice_seat
from api.following import Following
from api.handshake import accept, connection
from api.live import relay, seats
from api.mailbox import Mailbox
from api.pace import Pace
from api.permissions import allows
from api.playback import Place as Position
from api.realtime import Session
from api.talk import KEEP_EVERY_S, Acts, Place, Talk
from api.voice_answers import Answers
from api.voice_messages import AudioChunk, PlaybackReport, Start, Text, is_file, parse, read
from api.websocket import Ended, NotText, WebSocket
from pipelines.stores.events import Published
from pipelines.turn.audio import Pcm16Stream, decode
from pipelines.turn.endpointing import Endpointer
from schemas.errors import (
    AuraError,
    Forbidden,
    InvalidRequest,
    MalformedJson,
    MessageTooLong,
    NotStarted,
    QuotaExceeded,
    TooFast,
    Unauthenticated,
    UndecodableAudio,
)
from schemas.events import Subject
from schemas.identity import Permission
from schemas.settings import Settings, get_settings

PATH = "/ws/voice/continuous"
SUBPROTOCOL = "aura.v1"
TOKEN_PREFIX = "aura.token."

MAX_TEXT_BYTES = 1024 * 1024
"""Longest JSON message: half a minute of 16 kHz sound as base64."""

START_TIMEOUT_S = 10.0
AHEAD_S = 60.0
"""Sound that may come faster than it is spoken, such as a recording; also the longest file."""

AHEAD_PER_S = 1.1
"""Seconds of sound a second beyond that: clocks differ."""

log = structlog.get_logger(__name__)


def register(app: Flask, acts: Acts) -> None:
    """Serve voice sockets on `app`."""

    @allows(Permission.CHAT)
    def voice_socket() -> Response:
        return serve(acts)

    app.add_url_rule(PATH, view_func=voice_socket, websocket=True)


def serve(acts: Acts) -> Response:
    """Hold one conversation, for as long as its client stays. Raises TooBusy and InvalidRequest before it is open."""
    settings = get_settings()
    client = connection(request)
    if client is None:
        raise InvalidRequest("This server cannot open WebSockets.")
    protocol = accept(request, max(MAX_TEXT_BYTES, settings.max_audio_frame_bytes), [SUBPROTOCOL])
    mailbox = Mailbox()
    give_back = take_voice_seat(mailbox)
    try:
        dialect = VoiceSocket(acts, settings, mailbox, offered_token())
        socket = WebSocket(client, protocol, mailbox, dialect.render)
        try:
            dialect.run(socket)
        finally:
            socket.finish()
    finally:
        give_back()
    return Hijacked()


class Hijacked(Response):
    """What is returned where the connection is used up: nothing more may be written to it."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if "gunicorn.socket" in environ:
            raise StopIteration  # gunicorn's threads take this as the end of the connection.
        return super().__call__(environ, start_response)


class VoiceSocket:
    """One client: its messages in, its mailbox out."""

    def __init__(self, acts: Acts, settings: Settings, mailbox: Mailbox, token: str | None) -> None:
        self._acts, self._settings, self._mailbox, self._token = acts, settings, mailbox, token
        self._following: Following | None = None
        self._place: Place | None = None
        self._session: Session | None = None
        self._pace = Pace(AHEAD_PER_S, AHEAD_S)
        self._warned = self._sends_files = False
        self._answers = Answers()

    def run(self, socket: WebSocket) -> None:
        """Take the client's messages until it leaves, is sent away, or its time is up."""
        self._socket = socket
        opened = time.monotonic()
        try:
            while True:
                message = socket.receive(self._session.tick_s if self._session else START_TIMEOUT_S)
                if message is not None or self._session is not None:
                    self._attempt(message)
                self._keep_place()
                if self._session is None and time.monotonic() - opened >= START_TIMEOUT_S:
                    socket.close(CloseCode.POLICY_VIOLATION, "no start")
                if time.monotonic() - opened > self._settings.max_session_s:
                    socket.close(CloseCode.NORMAL_CLOSURE, "session limit: come back with `after`")
        except NotText:
            self._refuse(MalformedJson("A text message is not valid UTF-8."))
            socket.close(CloseCode.INVALID_DATA, "not UTF-8")
        except Ended:
            pass
        except Exception:
            # The outermost of this thread: the client is told, the log has the rest.
            log.exception("voice.broke")
            socket.close(CloseCode.INTERNAL_ERROR, "internal error")
        finally:
            if self._following is not None:
                self._following.leave()
            if self._place is not None:
                self._place.leave()

    def _keep_place(self) -> None:
        """Say now and then that this session is alive; leave where its place was given to others."""
        if self._place is None or time.monotonic() - self._kept_at < KEEP_EVERY_S:
            return
        self._kept_at = time.monotonic()
        if not self._place.keep():
            self._refuse(QuotaExceeded("The organisation has as many open sessions as it may have."))
            self._socket.close(CloseCode.POLICY_VIOLATION, QuotaExceeded.code)

    def _attempt(self, message: str | bytes | None) -> None:
        try:
            if isinstance(message, bytes):
                self._binary(message)
            elif message is not None:
                self._text(parse(message))
            if self._session is not None:
                self._session.pass_time()
        except (NotStarted, Unauthenticated, Forbidden, QuotaExceeded) as error:
            self._refuse(error)
            self._socket.close(CloseCode.POLICY_VIOLATION, error.code)
        except AuraError as error:
            self._refuse(error)

    def _refuse(self, error: AuraError) -> None:
        self._mailbox.tell({"type": "error", "code": error.code, "detail": error.detail})

    def _binary(self, frame: bytes) -> None:
        if len(frame) > self._settings.max_audio_frame_bytes:
            self._socket.close(CloseCode.MESSAGE_TOO_BIG, f"at most {self._settings.max_audio_frame_bytes} bytes")
        else:
            self._hear(frame)

    def _hear(self, pcm: bytes) -> None:
        session = self._started()
        self._slow_down(len(pcm) / self._bytes_per_s)
        session.hear(self._stream.feed(pcm))

    def _slow_down(self, duration_s: float) -> None:
        if (rest_s := self._pace.take(duration_s)) > 0:
            if not self._warned:
                self._warned = True
                self._refuse(TooFast())
            self._socket.rest(rest_s)

    def _text(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "start":
                self._start(read(Start, message))
            case "audio_chunk":
                self._chunk(message)
            case "ping":
                self._mailbox.tell({"type": "pong"})
            case "text":
                self._started().ask(self._question(read(Text, message).text))
            case "commit":
                self._started().commit()
            case "cancel":
                self._started().cancel()
            case "playback":
                report = read(PlaybackReport, message)
                self._started().played(str(report.turn_id), report.played_ms)
            case "stop":
                if self._session is not None:
                    self._session.cancel("stopped")
                self._socket.close(CloseCode.NORMAL_CLOSURE, "stopped")
            case other:
                raise InvalidRequest(f"There is no message {other[:40]!r}.")

    def _question(self, text: str) -> str:
        if len(text) > self._settings.max_message_chars:
            raise MessageTooLong
        return text

    def _started(self) -> Session:
        if self._session is None:
            raise NotStarted
        return self._session

    def _start(self, start: Start) -> None:
        if self._session is not None:
            raise InvalidRequest("The session has started already.")
        caller = self._acts.authenticate(start.token or self._token)
        seats().admit(self._mailbox, caller.credential)
        self._place, self._kept_at = self._place or self._acts.take_place(caller), time.monotonic()
        place = Position.read(start.after) if start.after else None
        conversation_id = self._acts.open_conversation(caller, start.assistant_key, start.conversation_id)
        language = start.language.lower()[:3].rstrip("-_") if start.language else None
        talk = Talk(caller, conversation_id, start.assistant_key, language)
        ears = Endpointer(start.endpointing.options())
        self._stream = Pcm16Stream(start.sample_rate_hz, start.channels)
        self._bytes_per_s = 2 * start.channels * start.sample_rate_hz

        def begin(after: str, resumed: bool) -> None:
            resume = place or Position(after, after)
            self._session = Session(talk, ears, self._acts, self._mailbox.tell, resume, adopts=place is not None)
            about = {"conversation_id": str(conversation_id), "resumed": resumed, **self._session.status()}
            self._mailbox.tell({"type": "ready", **about, **self._limits()})

        subject = Subject.conversation(caller.tenant_id, conversation_id)
        self._following = relay().follow(subject, place.safe if place else None, self._mailbox, begin)
        log.info("voice.started", conversation_id=str(conversation_id), resumed=place is not None)

    def _limits(self) -> dict[str, Any]:
        return {
            "max_frame_bytes": self._settings.max_audio_frame_bytes,
            "max_text_bytes": MAX_TEXT_BYTES,
            "max_session_s": self._settings.max_session_s,
        }

    def _chunk(self, message: dict[str, Any]) -> None:
        sound = read(AudioChunk, message).sound()
        if self._session is None:
            # The reference clients begin with sound; their token came with the address.
            self._start(read(Start, {**message, "after": None}))
        self._answers.in_json = True
        if is_file(sound):
            self._sends_files = True
            decoded = decode(sound, AHEAD_S)
            self._slow_down(decoded.duration_s)
            self._started().hear(decoded.samples)
        elif self._sends_files:
            raise UndecodableAudio("This chunk is no file as the earlier ones were. Send each as a whole file.")
        else:
            self._hear(sound)

    def render(self, item: object) -> Iterator[str | bytes]:
        """Yield what to send for what the mailbox has handed out; called by the writing thread."""
        session = self._session
        assert session is not None or isinstance(item, dict)
        for message in session.relay(item) if isinstance(item, Published) else (item,):
            yield from self._answers.encode({**message, "id": str(session.place())} if session else message)


def offered_token() -> str | None:
    """Return the token that came with the opening request, if any: a browser can set no header of its own."""
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    found = next((name.strip() for name in offered.split(",") if name.strip().startswith(TOKEN_PREFIX)), None)
    return found.removeprefix(TOKEN_PREFIX) if found else request.args.get("token")
