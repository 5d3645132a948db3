"""The front door: validate, authenticate, commit a row, enqueue, relay events. No model runs here."""

from typing import Any

from flask import redirect
from flask_openapi3 import Info, OpenAPI
from werkzeug import Response

from api import aliases, auth, bodies, chat, cli, documents, errors, health, jobs, turns, voice, voice_socket
from api.talk import Acts
from schemas.logs import configure_logs
from schemas.requests import Problem
from schemas.settings import get_settings

INFO = Info(
    title="AURA",
    version="0.1.0",
    description="Voice and text assistants grounded in each organisation's own documents.",
)


def create_app() -> OpenAPI:
    """Return the web application. Connects to nothing yet, so that `doctor` runs when nothing else does.

    Raises ValueError where it would answer without tokens beyond this machine.
    """
    configure_logs()
    auth.refuse_unsafe_start()
    settings = get_settings()
    app = OpenAPI(
        __name__,
        info=INFO,
        doc_prefix="/docs",
        validation_error_model=Problem,
        validation_error_callback=errors.invalid,
        static_folder=None,
    )
    # Forms carry a little beside the file; a JSON body is far below either.
    app.config["MAX_CONTENT_LENGTH"] = (settings.max_upload_mb + 1) << 20
    errors.register(app)
    auth.register(app)
    bodies.register(app)
    for blueprint in (chat.blueprint, documents.blueprint, jobs.blueprint, voice.blueprint):
        app.register_api(blueprint)
    health.register(app)
    voice_socket.register(app, Acts(auth.holder, turns.open_conversation, turns.start_turn, turns.cancel_turn))
    aliases.register(app)
    app.add_url_rule("/openapi.json", view_func=lambda: _openapi(app), endpoint="openapi_json")
    app.add_url_rule("/docs", view_func=_docs, endpoint="docs")
    app.add_url_rule("/", view_func=_docs, endpoint="home")
    app.cli.add_command(cli.ingest)
    app.cli.add_command(cli.ask)
    app.cli.add_command(cli.doctor)
    return app


def _openapi(app: OpenAPI) -> dict[str, Any]:
    return app.api_doc


def _docs() -> Response:
    return redirect("/docs/swagger")
