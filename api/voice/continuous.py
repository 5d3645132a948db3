"""`/ws/voice/continuous`: a spoken conversation in JSON messages and binary sound (docs/voice-protocol.md)."""

from flask import Flask, Response, request

from api.door.permissions import allows
from api.live.handshake import accept, connection
from api.live.mailbox import Mailbox
from api.live.sockets import SUBPROTOCOL, Hijacked, offered_token
from api.live.websocket import WebSocket
from api.spoken.talk import Acts
from api.voice.admission import take_voice_seat
from api.voice.client import MAX_TEXT_BYTES, VoiceClient
from schemas.errors.requests import InvalidRequest
from schemas.settings import get_settings
from schemas.tables.identity import Permission

PATH = "/ws/voice/continuous"
WIDGET_PATH = "/ws/voice/widget"


def register(app: Flask, acts: Acts, visitors_acts: Acts) -> None:
    """Serve voice sockets on `app`, those of a widget's visitors at an address of their own."""

    @allows(Permission.CHAT)
    def voice_socket() -> Response:
        return serve(acts)

    @allows(Permission.VISIT)
    def widget_socket() -> Response:
        return serve(visitors_acts)

    app.add_url_rule(PATH, view_func=voice_socket, websocket=True)
    app.add_url_rule(WIDGET_PATH, view_func=widget_socket, websocket=True)


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
