"""`/ws/voice/continuous`: a spoken conversation in JSON messages and binary sound (docs/voice-protocol.md)."""

from typing import Any

from flask import Flask, Response, request

from api.admission import take_voice_seat
from api.handshake import accept, connection
from api.mailbox import Mailbox
from api.permissions import allows
from api.talk import Acts
from api.voice_client import MAX_TEXT_BYTES, VoiceClient
from api.websocket import WebSocket
from schemas.errors import InvalidRequest
from schemas.identity import Permission
from schemas.settings import get_settings

PATH = "/ws/voice/continuous"
SUBPROTOCOL = "aura.v1"
TOKEN_PREFIX = "aura.token."


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
        dialect = VoiceClient(acts, settings, mailbox, offered_token())
        socket = WebSocket(client, protocol, mailbox, dialect.render, waits=dialect.waits)
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


def offered_token() -> str | None:
    """Return the token that came with the opening request, if any: a browser can set no header of its own."""
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    found = next((name.strip() for name in offered.split(",") if name.strip().startswith(TOKEN_PREFIX)), None)
    return found.removeprefix(TOKEN_PREFIX) if found else request.args.get("token")
