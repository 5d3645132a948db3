"""What stands in the query or the form of a request is described once, and not at each request."""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

from pydantic import BaseModel

import api
from schemas.requests.common import Listing, Parameters
from schemas.requests.documents.documents import DocumentListing


def asked() -> Iterator[type[BaseModel]]:
    """Yield what the views of all modules take from queries and forms."""
    for module in pkgutil.walk_packages(api.__path__, "api."):
        for _, view in inspect.getmembers(import_module(module.name), inspect.isfunction):
            for name in ("query", "form"):
                model = view.__annotations__.get(name)
                if isinstance(model, str):
                    model = view.__globals__.get(model)
                if inspect.isclass(model) and issubclass(model, BaseModel):
                    yield model


def test_a_schema_is_made_once_and_says_what_it_always_said() -> None:
    for model in (Listing, DocumentListing):
        assert model.model_json_schema() is model.model_json_schema()
        assert model.model_json_schema() == model.model_json_schema(by_alias=True)
        assert model.model_json_schema()["title"] == model.__name__


def test_every_view_asks_for_such_parameters() -> None:
    found = set(asked())
    assert len(found) > 20
    assert [model.__name__ for model in found if not issubclass(model, Parameters)] == []
