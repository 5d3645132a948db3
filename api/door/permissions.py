"""What each route asks of its caller. A view declares it, one place checks it (`auth.register`)."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask

from schemas.tables.identity import Permission

View = TypeVar("View", bound=Callable[..., Any])


def allows(permission: Permission) -> Callable[[View], View]:
    """Declare what a view asks for. Stands below the route's own decorator, next to the function."""

    def declare(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return declare


def declared(app: Flask, endpoint: str | None) -> Permission:
    """Return what the view of `endpoint` declares; PUBLIC where no view is (an unknown path, a wrong method)."""
    view = app.view_functions.get(endpoint or "")
    return view.permission if view else Permission.PUBLIC  # type: ignore[attr-defined]


def require_declarations(app: Flask) -> None:
    """Raise TypeError where a route declares nothing: nobody thought of who may call it."""
    silent = sorted(name for name, view in app.view_functions.items() if not hasattr(view, "permission"))
    if silent:
        raise TypeError(f"These routes declare no permission (`api.door.permissions.allows`): {', '.join(silent)}")
