"""Many entries at once, from a file or a list: each row is judged by itself, and told by its number."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request
from pydantic import ValidationError
from sqlalchemy import select

from api.documents.batch_views import links
from api.door.auth import Caller, caller
from api.knowledge.entries import values_of, writer
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge.entries import Draft
from pipelines.stores.knowledge.entry_kinds import Kind
from pipelines.training import reading
from pipelines.training.reading import Row
from schemas.errors.requests import InvalidRequest, UnknownAssistant
from schemas.errors.uploads import FileTooLarge, NoFile
from schemas.requests.common import Body
from schemas.requests.knowledge.imports import SHOWN_ERRORS, ImportBody, Imported, ImportForm, RowError
from schemas.tables.tenancy import Agent
from workers.documents import entries as writers

MAX_BYTES = 32 << 20
OTHER_NAMES = {
    "prompt": ("question",),
    "response": ("answer", "completion"),
    "title": ("name",),
    "content": ("text", "body", "note"),
    "filename": ("file",),
    "assistant_key": ("assistant", "agent"),
    "tags": ("tag", "labels"),
}
REQUIRED = {"training_data": ("prompt", "response"), "logic_notes": ("title", "content")}


def bring(kind: Kind, model: type[Body]) -> Response:
    """Add or change entries: rows with an `id`, or with the name of one, change that, others are new.

    Answers 202 with the job that makes them findable, 200 where there is nothing of the kind to do.
    """
    asking = caller()
    form, rows = _sent(kind)
    known, checked, errors = _assistants(asking), list[tuple[int, Draft]](), list[RowError]()
    for row in rows:
        try:
            checked.append((row.number, _draft(kind, model, form, row, known)))
        except _Refused as refused:
            errors.append(refused.error)
    drafts = [draft for _, draft in checked]
    act = writers.would_write if form.dry_run else writers.write_many
    taken = act(kind, writer(asking), drafts)
    for (number, _), put in zip(checked, taken.found, strict=True):
        if put.error is not None:
            errors.append(RowError(row=number, field=None, code=put.error.code, detail=put.error.detail))
    changes = [put.change for put in taken.found]
    answer = Imported(
        dry_run=form.dry_run,
        rows=len(rows),
        created=changes.count("created"),
        updated=changes.count("updated"),
        unchanged=changes.count("unchanged"),
        refused=len(errors),
        errors=sorted(errors, key=lambda error: error.row)[:SHOWN_ERRORS],
        **(links(taken.batch_id) if taken.batch_id else {}),
    )
    response = jsonify(answer.model_dump(mode="json"))
    if taken.batch_id:
        response.status_code, response.headers["Location"] = 202, answer.job or ""
    return response


class _Refused(Exception):
    """A row cannot be taken."""

    def __init__(self, row: Row, code: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.error = RowError(row=row.number, field=field, code=code, detail=detail)


def _sent(kind: Kind) -> tuple[ImportForm, Sequence[Row]]:
    """Return the rows that the request carries, and how they are to be taken. Raises NoFile, InvalidRequest, ..."""
    columns = {name: OTHER_NAMES.get(name, ()) for name in ("id", *kind.fields)}
    if request.is_json:
        body = ImportBody.model_validate(request.get_json())
        return body, [reading.renamed(row, columns) for row in reading.listed(body.rows)]
    file = request.files.get("file")
    if file is None:
        raise NoFile("The request carries no file. Send it as the form field `file`, or `rows` as JSON.")
    form = ImportForm.model_validate({name: value for name, value in request.form.items() if value})
    data = file.stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FileTooLarge(f"A file of entries has {MAX_BYTES >> 20} MiB at most. Send it in parts.")
    return form, reading.read(data, columns, REQUIRED.get(kind.source, ("content",)))


def _draft(kind: Kind, model: type[Body], form: ImportForm, row: Row, known: frozenset[str]) -> Draft:
    """Return what a row says. Raises _Refused."""
    if row.fault:
        raise _Refused(row, InvalidRequest.code, row.fault)
    values = {"assistant_key": form.assistant_key, **row.values}
    entry_id = _id(row, values.pop("id", None))
    try:
        body = model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise _Refused(
            row, InvalidRequest.code, first["msg"], str(first["loc"][0]) if first["loc"] else None
        ) from error
    assistant_key = body.assistant_key  # type: ignore[attr-defined]
    if assistant_key is not None and assistant_key not in known:
        raise _Refused(row, UnknownAssistant.code, f"There is no assistant {assistant_key!r}.", "assistant_key")
    return Draft(values_of(kind, body), entry_id)


def _id(row: Row, found: Any) -> UUID | None:
    try:
        return None if found in (None, "") else UUID(str(found))
    except ValueError as error:
        raise _Refused(row, InvalidRequest.code, "This is no id.", "id") from error


def _assistants(asking: Caller) -> frozenset[str]:
    with tenant_session(asking.tenant_id) as session:
        return frozenset(session.scalars(select(Agent.assistant_key)))
