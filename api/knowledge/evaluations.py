"""Evaluations: sets of questions with right answers, asked in one or more configurations in the background."""

import json
from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, request, url_for
from flask_openapi3 import APIBlueprint, Tag
from pydantic import TypeAdapter

from api.door.auth import Caller, caller
from api.door.paging import cursor, number, position
from api.door.permissions import allows
from api.knowledge.evaluation_views import compared, evaluation_view, question_view
from pipelines import providers
from pipelines.evaluation import plot, report, sets
from pipelines.evaluation.sets import Question
from pipelines.stores.database import tenant_session
from pipelines.stores.knowledge import evaluations
from pipelines.stores.turns import turns
from schemas.errors.requests import InvalidRequest, MessageTooLong
from schemas.errors.uploads import NoFile
from schemas.events import EventName
from schemas.requests.common import Listing
from schemas.requests.knowledge.evaluations import (
    Configuration,
    EvaluationBody,
    EvaluationForm,
    EvaluationPage,
    EvaluationPath,
    EvaluationQuery,
    EvaluationView,
    QuestionPage,
)
from schemas.tables.identity import Permission
from workers import announce, send, wiring
from workers.evaluation import told

blueprint = APIBlueprint("evaluations", __name__, url_prefix="/api/evaluations", abp_tags=[Tag(name="evaluations")])

MAX_SET_BYTES = 32 << 20
SVG = "image/svg+xml"
MARKDOWN = "text/markdown; charset=utf-8"


@blueprint.post("", responses={202: EvaluationView})
@allows(Permission.AI_WRITE)
def make(body: EvaluationBody) -> Response:
    """Accept a set of up to 5,000 questions and answer with its job; it is asked beside live turns.

    A question without an answer should be refused. Each configuration asks all of them; none takes an answer from a
    cache or leaves a conversation behind. What it costs counts against the budget.
    """
    given = body.model_dump(mode="json", exclude_none=True)
    found = sets.of_json({"data": body.data} if body.data is not None else given)
    return _accepted(caller(), body.name, body.configurations, found)


@blueprint.post("/upload", responses={202: EvaluationView})
@allows(Permission.AI_WRITE)
def upload() -> Response:
    """The same for a file (form field `file`): JSON, CSV with a header `question,answer,source`, or SQuAD's JSON."""
    file = request.files.get("file")
    if file is None:
        raise NoFile
    form = EvaluationForm.model_validate({name: value for name, value in request.form.items() if value})
    data = file.stream.read(MAX_SET_BYTES + 1)
    if len(data) > MAX_SET_BYTES:
        raise MessageTooLong("A set has at most 32 MiB.")
    try:
        given = json.loads(form.configurations) if form.configurations else []
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("`configurations` is not valid JSON.") from error
    configurations = TypeAdapter(list[Configuration]).validate_python(given)
    return _accepted(caller(), form.name or "Evaluation", configurations, sets.read(data))


@blueprint.get("", responses={200: EvaluationPage})
@allows(Permission.ANALYTICS_READ)
def listing(query: Listing) -> dict[str, Any]:
    """Return the organisation's evaluations, newest first."""
    with tenant_session(caller().tenant_id) as session:
        found = evaluations.listing(session, query.limit + 1, position(query.after))
    last = found[query.limit - 1] if len(found) > query.limit else None
    return {
        "evaluations": [evaluation_view(one).model_dump(mode="json") for one in found[: query.limit]],
        "next": cursor(last.created_at, last.evaluation_id) if last else None,
    }


@blueprint.get("/<uuid:id>", responses={200: EvaluationView})
@allows(Permission.ANALYTICS_READ)
def show(path: EvaluationPath, query: EvaluationQuery) -> Any:
    """Return an evaluation with its figures; `format=md` as a table, `format=svg` as a plot.

    With `against`, an earlier run: which questions got better and which worse.
    """
    with tenant_session(caller().tenant_id) as session:
        found = evaluations.get(session, path.id)
        beside = compared(session, found, query.against, query.configuration) if query.against else None
    if query.format == "md":
        return Response(report.markdown(found.name, found.results), content_type=MARKDOWN)
    if query.format == "svg":
        answer = Response(plot.svg(found.name, found.results), content_type=SVG)
        # A picture that is opened by itself is a page: it gets no rights.
        answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        return answer
    return evaluation_view(found, beside).model_dump(mode="json")


@blueprint.get("/<uuid:id>/questions", responses={200: QuestionPage})
@allows(Permission.ANALYTICS_READ)
def question_listing(path: EvaluationPath, query: Listing) -> dict[str, Any]:
    """Return the questions in order, with what came of each in every configuration."""
    after = number(query.after) if query.after else -1
    with tenant_session(caller().tenant_id) as session:
        evaluations.get(session, path.id)
        found = evaluations.questions(session, path.id, query.limit + 1, min(after, sets.MAX_QUESTIONS))
    views = [question_view(one).model_dump(mode="json") for one in found[: query.limit]]
    return {"questions": views, "next": str(found[query.limit - 1].number) if len(found) > query.limit else None}


@blueprint.post("/<uuid:id>/cancel", responses={200: EvaluationView})
@allows(Permission.AI_WRITE)
def cancel(path: EvaluationPath) -> dict[str, Any]:
    """Stop an evaluation after the question in work; what was asked by then is kept."""
    asking = caller()
    with tenant_session(asking.tenant_id) as session:
        ended = evaluations.cancel(session, path.id)
        tell = announce.owe(session, asking.tenant_id, [told(EventName.EVALUATION_CANCELLED, ended, done=ended.done)])
    tell()
    return evaluation_view(ended).model_dump(mode="json")


@blueprint.delete("/<uuid:id>", responses={204: None})
@allows(Permission.AI_WRITE)
def delete(path: EvaluationPath) -> tuple[str, int]:
    """Delete an evaluation with its questions; one that goes on is stopped."""
    with tenant_session(caller().tenant_id) as session:
        evaluations.remove(session, path.id)
    return "", 204


def _accepted(
    asking: Caller, name: str, configurations: Sequence[Configuration], questions: Sequence[Question]
) -> Response:
    wanted = [_named(one, at) for at, one in enumerate(configurations or [Configuration()], 1)]
    if len(wanted) > MAX_CONFIGURATIONS:
        raise InvalidRequest(f"At most {MAX_CONFIGURATIONS} configurations are compared at a time.")
    offered = {offer.name for offer in providers.offers(wiring.offering(asking.tenant_id)) if offer.offered}
    for one in wanted:
        if one["chat_provider"] and one["chat_provider"] not in offered:
            raise InvalidRequest(f"The chat provider {one['chat_provider']!r} is not offered here.")
    with tenant_session(asking.tenant_id) as session:
        for assistant_key in {one["assistant_key"] for one in wanted}:
            turns.agent(session, assistant_key)
        made = evaluations.add(session, asking.tenant_id, asking.user_id, name, wanted, questions)
        tell = announce.owe(session, asking.tenant_id, [told(EventName.EVALUATION_ACCEPTED, made)])
    send.evaluation(asking.tenant_id, made.evaluation_id)
    tell()
    answer = jsonify(evaluation_view(made).model_dump(mode="json"))
    answer.status_code = 202
    answer.headers["Location"] = url_for("jobs.show", id=made.evaluation_id)
    return answer


MAX_CONFIGURATIONS = 8


def _named(configuration: Configuration, number: int) -> dict[str, Any]:
    """Return a configuration with a name: its own, or what it changes."""
    given = configuration.model_dump()
    changes = [f"{name} {value}" for name, value in given.items() if name != "name" and value is not None]
    return {**given, "name": given["name"] or (f"{number}: {', '.join(changes)}" if len(changes) > 1 else "as set")}
