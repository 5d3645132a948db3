"""Sets of questions as people have them: JSON, CSV, or SQuAD's format."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from schemas.errors.requests import InvalidRequest

MAX_QUESTIONS = 5_000
MAX_QUESTION_CHARS = 4_000
MAX_ANSWERS, MAX_ANSWER_CHARS = 20, 4_000
MAX_SOURCE_CHARS = 20_000
SOURCE_FIELDS = ("filename", "document_id", "page", "text")

csv.field_size_limit(1 << 20)


@dataclass(frozen=True)
class Question:
    """A question, the answers that are right (none: it should be refused), and where they stand, if that is known."""

    question: str
    answers: tuple[str, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)


def read(data: bytes, filename: str = "") -> list[Question]:
    """Return the questions of a file: JSON (a list, or `questions`), SQuAD's JSON, or CSV with a header.

    Raises InvalidRequest, which says where.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest("The set is not UTF-8.") from error
    if not text.lstrip().startswith(("{", "[")):
        return checked(_of_csv(text))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The set is not valid JSON.") from error
    return of_json(found)


def of_json(found: Any) -> list[Question]:
    """Return the questions of a JSON value. Raises InvalidRequest."""
    if isinstance(found, Mapping) and isinstance(found.get("data"), list):
        return checked(_of_squad(found["data"]))
    rows = found.get("questions") if isinstance(found, Mapping) else found
    if not isinstance(rows, list):
        raise InvalidRequest("The set needs a list of questions, `questions`, or SQuAD's `data`.")
    return checked(map(_of_row, rows))


def checked(questions: Iterator[Question] | Sequence[Question]) -> list[Question]:
    """Return the questions, between one and MAX_QUESTIONS of them. Raises InvalidRequest."""
    found = []
    for number, one in enumerate(questions, 1):
        if number > MAX_QUESTIONS:
            raise InvalidRequest(f"A set holds at most {MAX_QUESTIONS:,} questions.")
        if not one.question.strip() or len(one.question) > MAX_QUESTION_CHARS:
            raise InvalidRequest(f"Question {number} is empty or longer than {MAX_QUESTION_CHARS:,} characters.")
        if len(one.answers) > MAX_ANSWERS or any(len(answer) > MAX_ANSWER_CHARS for answer in one.answers):
            raise InvalidRequest(f"Question {number} has too many, or too long, answers.")
        found.append(one)
    if not found:
        raise InvalidRequest("The set holds no question.")
    return found


def _of_row(row: Any) -> Question:
    if not isinstance(row, Mapping) or not isinstance(row.get("question"), str):
        raise InvalidRequest("Each question is an object with a text `question`.")
    given = row.get("answers", row.get("answer"))
    answers = given if isinstance(given, list) else [given] if given is not None else []
    if not all(isinstance(answer, str) for answer in answers):
        raise InvalidRequest("Answers are texts.")
    beside = {name: row[name] for name in SOURCE_FIELDS if row.get(name) not in (None, "")}
    source = row.get("source", beside)
    if source is None or isinstance(source, str):
        source = {**beside, "filename": source}
    if not isinstance(source, Mapping):
        raise InvalidRequest(
            "`source` is a file's name, or an object with `filename`, `document_id`, `page` or `text`."
        )
    return Question(_plain(row["question"]), _said(answers), _source(source))


def _source(found: Mapping[str, Any]) -> dict[str, Any]:
    source = {name: found[name] for name in SOURCE_FIELDS if found.get(name) not in (None, "")}
    try:
        if "page" in source:
            source["page"] = int(str(source["page"])[:9])
        if "document_id" in source:
            source["document_id"] = str(UUID(str(source["document_id"])))
    except ValueError as error:
        raise InvalidRequest("`page` is a number, and `document_id` an id.") from error
    return {name: value if name == "page" else _plain(str(value))[:MAX_SOURCE_CHARS] for name, value in source.items()}


def _of_csv(text: str) -> Iterator[Question]:
    try:
        reader = csv.DictReader(io.StringIO(text), strict=True)
        if "question" not in (reader.fieldnames or ()):
            raise InvalidRequest(
                "The CSV needs a header with `question`, and `answer` and `source` where there are any."
            )
        for row in reader:
            known = {name: value for name, value in row.items() if isinstance(name, str) and isinstance(value, str)}
            if "answers" in known:
                known["answer"] = known.pop("answers")
            known = {name: value for name, value in known.items() if value or name == "question"}
            yield _of_row(known)
    except csv.Error as error:
        raise InvalidRequest(f"The CSV cannot be read: {error}.") from error


def _of_squad(data: Sequence[Any]) -> Iterator[Question]:
    try:
        for article in data:
            for paragraph in article["paragraphs"]:
                context = str(paragraph.get("context", ""))
                for one in paragraph["qas"]:
                    found = (
                        () if one.get("is_impossible") else [str(answer["text"]) for answer in one.get("answers", ())]
                    )
                    source = {"text": _plain(context)[:MAX_SOURCE_CHARS]} if context and found else {}
                    yield Question(_plain(str(one["question"])), _said(found), source)
    except (TypeError, KeyError, AttributeError) as error:
        raise InvalidRequest("The set is not in SQuAD's format: data, paragraphs, qas, question, answers.") from error


def _said(answers: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain for answer in answers if (plain := _plain(answer).strip())))


def _plain(text: str) -> str:
    """Return text that a row may keep: without NUL and halves of surrogate pairs."""
    return text.encode(errors="replace").decode().replace("\x00", "")
