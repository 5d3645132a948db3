"""Knowledge that was written down as such, rather than uploaded, on its way through the ingest.

A training pair is one chunk, whatever its length: its question is the heading and what is embedded, so that a
question finds it; its answer is the text, word for word.
"""

from dataclasses import dataclass

import msgspec

from pipelines.ingest.elements import Chunk, Element, Extraction, Kind
from pipelines.ingest.tokens import count
from schemas.errors.files import Damaged

FILE_TYPE = "entry"
"""What reads an entry, whatever its kind."""

PAIR = "qa"


@dataclass(frozen=True)
class Written:
    """An entry as it is read: `kind` is PAIR, or what its content is written in (md, txt, html)."""

    content: str
    kind: str
    title: str


def pack(written: Written) -> bytes:
    """Return an entry as its reader takes it."""
    return _encoder.encode(written)


def unpack(data: bytes) -> Written:
    """Return what `pack` wrote. Raises Damaged."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Damaged from error


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Written)


def pair(prompt: str, response: str) -> Extraction:
    """Return a question with its answer, which stays as it is."""
    return Extraction((Element(prompt, Kind.TITLE, level=1), Element(response)), prompt)


def chunk(extraction: Extraction) -> list[Chunk]:
    """Return the one chunk of a pair."""
    prompt, response = (element.text for element in extraction.elements)
    start = len(prompt) + 2
    return [
        Chunk(
            index=0,
            text=response,
            chunk_type="question",
            token_count=count(response),
            start_char=start,
            end_char=start + len(response),
            heading_path=(prompt,),
            question=prompt,
        )
    ]
