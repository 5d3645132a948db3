"""The front door: validate, authenticate, commit a row, enqueue, relay events. No model runs here."""

from typing import Any

from flask import redirect
from flask_openapi3 import Info, OpenAPI
from werkzeug import Response
from werkzeug.middleware.proxy_fix import ProxyFix

from api import (
    accounts,
    aliases,
    audit,
    auth,
    bodies,
    browsers,
    chat,
    cli,
    cli_admin,
    documents,
    errors,
    health,
    idempotency,
    jobs,
    keys,
    openapi,
    refusals,
    tenants,
    turns,
    users,
    voice,
    voice_socket,
)
from api.permissions import allows, require_declarations
from api.talk import Acts
from schemas.identity import Permission
from schemas.logs import configure_logs
from schemas.requests import Problem
from schemas.settings import get_settings

INFO = Info(
    title="AURA",
    version="0.1.0",
    description="Voice and text assistants grounded in each organisation's own documents.",
)

BLUEPRINTS = (accounts, users, keys, tenants, audit, chat, documents, jobs, voice)
"""The modules whose routes are served; each holds one `blueprint`."""


def create_app() -> OpenAPI:
    """Return the web application. Connects to nothing yet, so that `doctor` runs when nothing else does.

    Raises ValueError where it would not be safe to serve (`api/refusals.py`).
    """
    configure_logs()
    settings = get_settings()
    refusals.refuse_unsafe_start(settings)
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
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    errors.register(app)
    browsers.register(app)
    bodies.register(app)
    auth.register(app)
    idempotency.register(app)
    for module in BLUEPRINTS:
        app.register_api(module.blueprint)
    health.register(app)
    voice_socket.register(app, Acts(auth.holder, turns.open_conversation, turns.start_turn, turns.cancel_turn))
    _serve_documentation(app)
    aliases.register(app)
    require_declarations(app)
    for command in (cli.ingest, cli.ask, cli.doctor, cli_admin.keys, cli_admin.operator):
        app.cli.add_command(command)
    return app


def _serve_documentation(app: OpenAPI) -> None:
    """Serve the OpenAPI document and the pages that show it, to anybody."""

    @allows(Permission.PUBLIC)
    def openapi_json() -> dict[str, Any]:
        return openapi.document(app)

    @allows(Permission.PUBLIC)
    def docs() -> Response:
        return redirect("/docs/swagger")

    app.add_url_rule("/openapi.json", view_func=openapi_json)
    app.add_url_rule("/docs", view_func=docs)
    app.add_url_rule("/", "home", docs)
    for name, view in list(app.view_functions.items()):
        if name.startswith(DOCUMENTATION):
            app.view_functions[name] = _public(view)
    app.view_functions["openapi.doc_url"] = openapi_json


def _public(view: Any) -> Any:
    @allows(Permission.PUBLIC)
    def shown(**given: Any) -> Any:
        return view(**given)

    return shown


DOCUMENTATION = ("openapi.", "swagger.", "redoc.", "rapidoc.", "scalar.", "elements.")
"""The endpoints that flask-openapi3 adds by itself."""
