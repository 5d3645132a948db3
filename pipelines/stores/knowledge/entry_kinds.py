"""The kinds of entries: what each consists of, and what is read of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pipelines.ingest import entries
from schemas.tables.training import LogicNote, ReferenceMaterial, TrainingPair

Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of entries: its table, the column that it goes by, and what is written of it besides, in order."""

    model: type[TrainingPair] | type[LogicNote] | type[ReferenceMaterial]
    named_by: str
    title: str
    text: str
    fields: tuple[str, ...]
    by: str = "created_by"

    @property
    def source(self) -> str:
        """Return the source of its documents, which is the name of its table."""
        return self.model.__tablename__

    def format(self, values: Values) -> str:
        """Return what the text of an entry is written in."""
        return entries.PAIR if self is PAIRS else str(values.get("file_type") or "md")

    def original(self, values: Values) -> bytes:
        """Return what is read of an entry."""
        return entries.pack(entries.Written(values[self.text], self.format(values), values[self.title]))


PAIRS = Kind(TrainingPair, "prompt", "prompt", "response", ("prompt", "response", "tags", "assistant_key"))
NOTES = Kind(LogicNote, "title", "title", "content", ("title", "content", "category", "tags", "assistant_key"))
MATERIALS = Kind(
    ReferenceMaterial,
    "filename",
    "title",
    "content",
    ("filename", "title", "content", "file_type", "tags", "assistant_key"),
    "uploaded_by",
)
KINDS = (PAIRS, NOTES, MATERIALS)
