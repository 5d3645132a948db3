"""Other names for the same routes, as the reference clients use them. One table, nothing else."""

from flask import Flask

ALIASES = {
    "/signup": "/api/signup",
    "/login": "/api/login",
    "/tenants": "/api/tenants",
    "/tenants/<uuid:id>": "/api/tenants/<uuid:id>",
    "/agents": "/api/agents",
    "/agents/<key>": "/api/agents/<key>",
    "/agents/<key>/duplicate": "/api/agents/<key>/duplicate",
    "/chat": "/api/chat",
    "/chat/": "/api/chat",
    "/chat/message": "/api/chat",
    "/chat/feedback": "/api/chat/feedback",
    "/chat/history/<user_id>": "/api/chat/history/<user_id>",
    "/chat/context/<user_id>": "/api/chat/context/<user_id>",
    "/memory": "/api/memory",
    "/memory/preferences": "/api/memory/preferences",
    "/memory/preferences/<key>": "/api/memory/preferences/<key>",
    "/memory/consent": "/api/memory/consent",
    "/memory/summaries": "/api/memory/summaries",
    "/memory/conversations": "/api/memory/conversations",
    "/memory/conversations/<uuid:id>": "/api/memory/conversations/<uuid:id>",
    "/knowledge/unanswered": "/api/knowledge/unanswered",
    "/knowledge/upload": "/api/documents/upload",
    "/knowledge/ingest": "/api/knowledge/ingest",
    "/knowledge/list": "/api/documents",
    "/voice/status": "/api/voice/status",
    "/voice/voices": "/api/voice/voices",
    "/voice/transcribe": "/api/voice/transcribe",
    "/voice/synthesize": "/api/voice/synthesize",
    "/api/voice/continuous": "/ws/voice/continuous",
    "/api/continuous-voice/ws": "/ws/voice/continuous",
    "/voice/stream": "/ws/voice/continuous",
}


def register(app: Flask) -> None:
    """Route each alias to the view of its canonical path. Called after all routes are there."""
    rules = list(app.url_map.iter_rules())
    for alias, path in ALIASES.items():
        for rule in (rule for rule in rules if rule.rule == path):
            app.add_url_rule(
                alias,
                endpoint=f"{rule.endpoint}@{alias}",
                view_func=app.view_functions[rule.endpoint],
                methods=(rule.methods or set()) - {"HEAD", "OPTIONS"},
                websocket=rule.websocket,
            )
