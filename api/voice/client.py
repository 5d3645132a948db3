"""One client of the voice socket: what it sends is done, what it is told is put into its form."""

import math
import time
from collections.abc import Iterator
from itertools import chain
from typing import Any

import structlog
from websockets.frames import CloseCode

from api.live import sockets
from api.live.following import Following
from api.live.mailbox import Mailbox
from api.live.messages import parse, read
from api.live.process import relay, seats
from api.live.websocket import Ended, NotText, WebSocket
from api.spoken.listening import REST_S
from api.spoken.places import Place as Position
from api.spoken.realtime import Session
from api.spoken.talk import KEEP_EVERY_S, Acts, Message, Place, Samples
from api.voice import coming_back
from api.voice.answers import Answers, SoundWanted
from api.voice.messages import AudioChunk, PlaybackReport, Start, Text
from api.voice.partials import Partials
from api.voice.sound_in import MANY, SoundIn
from pipelines.stores.events import Published
from pipelines.turn.hearing.endpointing import Endpointer
from schemas.errors.callers import Forbidden, QuotaExceeded, Unauthenticated
from schemas.errors.providers import TooBusy
from schemas.errors.requests import InvalidRequest, MalformedJson, MessageTooLong
from schemas.errors.sound import NotStarted, TooFast
from schemas.errors.tree import AuraError
from schemas.events import EventName, SessionEvent, Subject
from schemas.settings import Settings

MAX_TEXT_BYTES = 1024 * 1024
"""Longest JSON message: half a minute of 16 kHz sound as base64."""

GATHER_S = 0.03
"""How long tokens after the first, and sound behind much sound, wait for more of their kind."""

LATE_S = 0.02
"""How late a frame may be before those that are there are heard without it."""

log = structlog.get_logger(__name__)


class VoiceClient:
    """One client: its messages in, its mailbox out."""

    def __init__(self, acts: Acts, settings: Settings, mailbox: Mailbox, token: str | None) -> None:
        self._acts, self._settings, self._mailbox, self._token = acts, settings, mailbox, token
        self._following: Following | None = None
        self._place: Place | None = None
        self._session: Session | None = None
        self._warned = self._stopped = False
        self._answers = Answers()

    def run(self, socket: WebSocket) -> None:
        """Take the client's messages until it leaves, is sent away, or its time is up."""
        self._socket = socket
        opened = time.monotonic()
        try:
            while True:
                message = socket.receive(*self._patience())
                if isinstance(message, list):
                    self._take(message)
                elif message is not None or self._session is not None:
                    self._attempt(message)
                self._keep_place()
                if self._session is None and time.monotonic() - opened >= sockets.START_TIMEOUT_S:
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
            self._leave()

    def _patience(self) -> tuple[float, float, int]:
        """Return how long a message is waited for, and how long sound may wait, or how much of it."""
        if self._session is None:
            return sockets.START_TIMEOUT_S, 0.0, 1
        rest_s = self._session.rest_s
        enough = self._sound.enough(rest_s)
        if enough < MANY:
            return self._session.tick_s, rest_s + LATE_S, enough
        # How much of it is there cannot be told by its size: it is left alone only while nothing is near.
        return self._session.tick_s, rest_s if rest_s >= REST_S else 0.0, MANY

    def _leave(self) -> None:
        if self._session is not None:
            answer = self._session.leave(self._stopped)
            if answer is not None:
                coming_back.keep(self._talk, answer)
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

    def _take(self, frames: list[bytes]) -> None:
        pieces = self._sound.together(frames, self._settings.max_audio_frame_bytes) if self._session else frames
        for piece in pieces:
            self._attempt(piece)

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
        except TooBusy as error:
            self._refuse(error)
            self._socket.close(CloseCode.TRY_AGAIN_LATER, error.code)
        except AuraError as error:
            self._refuse(error)

    def _refuse(self, error: AuraError) -> None:
        told = {"type": SessionEvent.ERROR, "code": error.code, "detail": error.detail}
        if (wait_s := getattr(error, "retry_after_s", error.facts.get("retry_after_s"))) is not None:
            told["retry_after_s"] = round(wait_s, 1)
        self._mailbox.tell(told)

    def _binary(self, frame: bytes) -> None:
        if len(frame) > self._settings.max_audio_frame_bytes:
            self._socket.close(CloseCode.MESSAGE_TOO_BIG, f"at most {self._settings.max_audio_frame_bytes} bytes")
        else:
            session = self._started()
            self._hear(session, self._sound.frame(frame))

    def _hear(self, session: Session, samples: Samples) -> None:
        if (rest_s := self._sound.rest_s) > 0:
            if not self._warned:
                self._warned = True
                self._refuse(TooFast())
            self._socket.rest(rest_s)
        session.hear(samples)

    def _text(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "start":
                self._start(read(Start, message))
            case "audio_chunk":
                self._chunk(message)
            case "ping":
                self._mailbox.tell({"type": SessionEvent.PONG})
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
                self._stopped = True
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
        self._sound = SoundIn(start.encoding, start.sample_rate_hz, start.channels)
        self._answers.wanted = SoundWanted(start.output.encoding, start.output.sample_rate_hz)
        ears = Endpointer(start.endpointing.options())
        conversation_id = self._acts.open_conversation(caller, start.assistant_key, start.conversation_id)
        days = self._acts.recording_days(caller) if start.recording else None
        filler_after_s = self._acts.filler_after_s(caller, start.assistant_key)
        talk = self._talk = start.talk(caller, conversation_id, days is not None, filler_after_s)
        tell = self._mailbox.tell

        def begin(after: str, resumed: bool) -> None:
            answer = coming_back.answer(talk, place) if place else None
            partials = Partials(caller, conversation_id, talk.language, tell) if start.partials else None
            resume = place or Position(after, after)
            self._session = Session(talk, ears, self._acts, tell, resume, place is not None, answer, partials)
            coming_back.begins(talk, self._session)
            about = {"conversation_id": str(conversation_id), "resumed": resumed, **self._session.status()}
            kept = {"recording": {"days": days}} if days is not None else {}
            tell({"type": SessionEvent.READY, **about, **kept, **self._limits()})
            if days is not None:
                tell({"type": SessionEvent.RECORDING_STARTED, "days": days})

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
        self._hear(self._started(), self._sound.chunk(sound))

    def render(self, item: object) -> Iterator[str | bytes]:
        """Yield what to send for what the mailbox has handed out, or for nothing; called by the writing thread."""
        session = self._session
        if session is None:
            if isinstance(item, dict):
                yield from self._encode(item)
            return
        if isinstance(item, Published):
            messages = session.relay(item)
        else:
            messages = chain((item,) if isinstance(item, dict) else (), session.due())
        for message in messages:
            yield from self._encode({**message, "id": str(session.place())})
        if isinstance(item, Published):
            self._rest(session, item)

    def _encode(self, message: Message) -> Iterator[str | bytes]:
        if (told := self._acts.tells(message)) is not None:
            yield from self._answers.encode(told)

    def _rest(self, session: Session, event: Published) -> None:
        """Let what follows an event gather for a moment, where nobody can notice."""
        if event.name == EventName.TURN_TOKEN:
            self._mailbox.rest(GATHER_S, (EventName.TURN_TOKEN,))
        elif event.name == EventName.TURN_AUDIO and session.ahead_s >= 2 * GATHER_S:
            self._mailbox.rest(GATHER_S)

    def waits(self) -> tuple[float, bool]:
        """Return in how many seconds `render` has something to send by itself, and whether events may be taken."""
        return (self._session.due_in_s(), not self._session.full) if self._session else (math.inf, True)
