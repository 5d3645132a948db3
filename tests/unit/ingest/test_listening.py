"""What is said in a recording becomes elements with the seconds at which it is said."""

from collections.abc import Sequence

import numpy as np

from pipelines.ingest.listen import elements
from pipelines.ports.sound import Audio, Segment, Transcript
from schemas.errors.sound import NoSpeech
from tests.unit.ingest.sounds import tones

RATE_HZ = 16_000


class Script:
    """A far end that says what it was given, whatever it hears."""

    name, model = "script", "script"

    def __init__(self, *transcripts: Transcript | NoSpeech) -> None:
        self._left = list(transcripts)

    def transcribe(self, audio: Audio, language: str | None = None, *, timestamps: bool = False) -> Transcript:
        assert timestamps
        said = self._left.pop(0)
        if isinstance(said, NoSpeech):
            raise said
        return said


def told(*segments: tuple[float, float, str]) -> Transcript:
    made = tuple(Segment(*segment) for segment in segments)
    return Transcript(" ".join(segment.text for segment in made), "en", 29.0, 1.0, made)


def sound(seconds: float = 29.0) -> Audio:
    return Audio(np.zeros(int(seconds * RATE_HZ), np.float32), RATE_HZ)


def spans(*transcripts: Transcript | NoSpeech, length_s: float = 29.0) -> list[tuple[float | None, float | None, str]]:
    pieces: Sequence[tuple[float, float, Audio]] = [
        (i * length_s, (i + 1) * length_s, sound(length_s)) for i in range(len(transcripts))
    ]
    found = elements(pieces, Script(*transcripts)).elements
    return [(element.start_s, element.end_s, element.text) for element in found]


def test_segments_are_placed_in_the_whole_recording_and_joined_to_sentences() -> None:
    said = spans(
        told((1, 3, "It was a"), (3, 7, "dark night."), (7.5, 12, "Rain fell."), (12.2, 14, "Cold rain.")),
        told((0.5, 4, "On the"), (4, 8, "next day it was dry.")),
    )
    assert said == [
        (1, 7, "It was a dark night."),
        (7.5, 14, "Rain fell. Cold rain."),
        (29.5, 37, "On the next day it was dry."),
    ]


def test_a_pause_begins_a_new_element() -> None:
    assert spans(told((0, 1, "One"), (1.5, 2, "two"), (9, 10, "three"))) == [(0, 2, "One two"), (9, 10, "three")]


def test_no_element_is_longer_than_twenty_seconds() -> None:
    said = spans(told(*((i, i + 1, f"word{i}") for i in range(28))))
    assert [(start, end) for start, end, _ in said] == [(0, 20), (20, 28)]


def test_times_beyond_the_piece_are_cut_to_it() -> None:
    assert spans(told((-3, 9, "Here."), (25, 99, "There."))) == [(0, 9, "Here."), (25, 29, "There.")]


def test_pieces_without_speech_are_passed_over() -> None:
    said = spans(NoSpeech(), told((1, 6, "Here.")), told((1, 2, " ... ")), Transcript("", "", 29.0, 0.0))
    assert said == [(30, 35, "Here.")]
    assert spans(NoSpeech()) == []


def test_without_told_times_sentences_are_spread_over_the_sound() -> None:
    # Sound from 2 to 8 and from 20 to 26: a sentence each.
    samples = tones((2, 8), (20, 26), length_s=29)
    text = "The first sentence is said early on. The other sentence is said later on."
    said = elements([(100.0, 129.0, Audio(samples, RATE_HZ))], Script(Transcript(text, "en", 29.0, 1.0))).elements
    assert [element.text for element in said] == [text[:36], text[37:]]
    for element, (start, end) in zip(said, ((102, 108), (120, 126)), strict=True):
        assert element.start_s is not None
        assert element.end_s is not None
        assert abs(element.start_s - start) < 2
        assert abs(element.end_s - end) < 2


def test_silence_with_text_is_spread_evenly() -> None:
    said = elements([(0.0, 20.0, sound(20))], Script(Transcript("One two. Six ten.", "en", 20.0, 1.0))).elements
    assert [element.start_s for element in said] == sorted(element.start_s or 0 for element in said)
    assert said[-1].end_s is not None
    assert said[-1].end_s <= 20
