"""The steps of an ingest: each reads what the step before made, calls one pure function, and keeps what it returns."""

from workers.steps.chunk import Chunk
from workers.steps.embed import Embed
from workers.steps.extract import Extract
from workers.steps.listen import Listen
from workers.steps.step import Job, Pages, Result, Step
from workers.steps.store import Store

__all__ = ["Chunk", "Embed", "Extract", "Job", "Listen", "Pages", "Result", "Step", "Store"]
