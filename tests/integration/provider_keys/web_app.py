"""The application as it is served, for a web process of a test."""

from flask_openapi3 import OpenAPI

import api
from api import provider_keys


def create_app() -> OpenAPI:
    app = api.create_app()
    if provider_keys.blueprint.name not in app.blueprints:
        app.register_api(provider_keys.blueprint)
    return app
