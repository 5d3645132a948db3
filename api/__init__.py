"""The front door: validate, authenticate, commit a row, enqueue, relay events. No model runs here."""

from typing import Any

from flask import redirect
from flask_openapi3 import APIBlueprint, Info, OpenAPI
from werkzeug import Response
from werkzeug.middleware.proxy_fix import ProxyFix

from api import aliases, health, jobs, web
from api.cli import admin, daily, evaluate
from api.dialogue import chat, conversations, fillers, memory, recollection, recordings, speech, turns, widget
from api.documents import batches, chunks, dead_letters, documents, labels, pages, reindex, uploads
from api.door import auth, bodies, browsers, errors, idempotency, limits, openapi, tenancy
from api.door.permissions import allows, require_declarations
from api.identity import accounts, keys, users
from api.knowledge import evaluations, knowledge, training, training_materials, training_notes, unanswered
from api.live import events, events_socket
from api.organisation import (
    agents,
    analytics,
    audit,
    costs,
    delivery_log,
    latency,
    lifecycle,
    provider_keys,
    tenants,
    usage,
    webhooks,
    widgets,
)
from api.spoken.talk import Acts
from api.voice import continuous
from schemas.logs import configure_logs
from schemas.refusals import refuse_unsafe_start
from schemas.requests.common import Problem
from schemas.settings import get_settings
from schemas.tables.identity import Permission

INFO = Info(
    title="AURA",
    version="0.1.0",
    description="Voice and text assistants grounded in each organisation's own documents.",
)

BLUEPRINTS = (
    accounts,
    users,
    agents,
    keys,
    provider_keys,
    tenants,
    usage,
    costs,
    latency,
    analytics,
    lifecycle,
    audit,
    chat,
    recollection,
    memory,
    conversations,
    documents,
    chunks,
    labels,
    pages,
    reindex,
    dead_letters,
    knowledge,
    training,
    training_notes,
    training_materials,
    unanswered,
    batches,
    uploads,
    jobs,
    events,
    speech,
    recordings,
    evaluations,
    webhooks,
    delivery_log,
    widgets,
    widget,
)
"""The modules whose routes are served; each holds one `blueprint`."""


def create_app() -> OpenAPI:
    """Return the web application. Connects to nothing yet, so that `doctor` runs when nothing else does.

    Raises CannotStart where it would not be safe to serve (`schemas/refusals.py`).
    """
    configure_logs()
    settings = get_settings()
    refuse_unsafe_start(settings)
    app = OpenAPI(
        __name__,
        info=INFO,
        doc_prefix="/docs",
        validation_error_model=Problem,
        validation_error_callback=errors.invalid,
        static_folder=None,
    )
    app.config["MAX_FORM_PARTS"] = settings.max_batch_files + 100
    # Forms carry a little beside the file; a JSON body is far below either.
    app.config["MAX_CONTENT_LENGTH"] = (settings.max_upload_mb + 1) << 20
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    errors.register(app)
    browsers.register(app)
    bodies.register(app)
    auth.register(app)
    limits.register(app)
    bodies.register_parsing(app)
    tenancy.register(app)
    idempotency.register(app)
    for module in BLUEPRINTS:
        _document_with(app, module.blueprint)
    health.register(app)
    acts = Acts(
        auth.holder,
        turns.open_conversation,
        turns.start_turn,
        turns.cancel_turn,
        limits.SessionPlace,
        turns.confirm_turn,
        turns.drop_turn,
        turns.cut_off,
        turns.timed,
        fillers.due_after_s,
        fillers.say,
        recordings.days,
    )
    continuous.register(app, acts, widget.talking(acts))
    events_socket.register(app)
    _serve_documentation(app)
    web.register(app)
    aliases.register(app)
    require_declarations(app)
    for command in (daily.ingest, daily.ask, daily.doctor, evaluate.evaluate, admin.keys, admin.operator):
        app.cli.add_command(command)
    return app


def _document_with(app: OpenAPI, blueprint: APIBlueprint) -> None:
    """Register a blueprint; where it adds methods to a path of an earlier one, the document keeps both."""
    before = dict(app.paths)
    app.register_api(blueprint)
    for path, item in before.items():
        added = {name: operation for name, operation in app.paths[path] if operation is not None}
        app.paths[path] = item.model_copy(update=added)


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
