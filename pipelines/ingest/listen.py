"""Recordings into elements: what is said, in pieces of 5 to 20 s that know their seconds."""

from collections.abc import Iterator, Sequence

import numpy as np

from pipelines.ingest.clean import one_line
from pipelines.ingest.elements import Element, Extraction
from pipelines.ports.sound import Audio, Segment, Transcriber
from pipelines.text import sentences
from schemas.errors.sound import NoSpeech

MIN_ELEMENT_S, MAX_ELEMENT_S = 5.0, 20.0
MAX_PAUSE_S = 2.0
"""After a longer pause a new element begins: its start would say little about what follows the pause."""

_LEVEL_S = 0.02
_SOUNDING = 0.05
"""Share of the mean power above which a moment may hold a word."""

_ENDS = tuple(".!?…。！？")


def elements(
    pieces: Sequence[tuple[float, float, Audio]], transcriber: Transcriber, language: str | None = None
) -> Extraction:
    """Return what is said in pieces (start_s, end_s, sound) of one recording, with times in that recording.

    Silence and noise give no elements; that is no error, for the next piece may hold speech. Where the
    transcriber does not tell its times they are estimated, sentence by sentence, from where there is
    sound. Raises ProviderUnavailable or RateLimited.
    """
    said: list[Segment] = []
    for start_s, end_s, audio in pieces:
        for segment in _segments(audio, transcriber, language):
            begin = min(start_s + segment.start_s, end_s)
            said.append(Segment(begin, min(start_s + segment.end_s, end_s), segment.text))
    return Extraction(tuple(_element(group) for group in _groups(said)))


def _segments(audio: Audio, transcriber: Transcriber, language: str | None) -> Iterator[Segment]:
    """Yield what is said in one piece, no part longer than an element, with times from the piece's start."""
    try:
        transcript = transcriber.transcribe(audio, language, timestamps=True)
    except NoSpeech:
        return
    told = transcript.segments or (Segment(0.0, audio.duration_s, transcript.text),)
    for segment in told:
        text = one_line(segment.text)
        if not any(char.isalnum() for char in text):
            continue
        begin = min(max(0.0, segment.start_s), audio.duration_s)
        heard = Segment(begin, max(begin, min(segment.end_s, audio.duration_s)), text)
        if heard.end_s - begin > MAX_ELEMENT_S or not transcript.segments:
            yield from _spread(heard, audio)
        else:
            yield heard


def _spread(whole: Segment, audio: Audio) -> Iterator[Segment]:
    """Yield the sentences of a long segment, each with its share of the seconds in which there is sound."""
    size = max(1, round(_LEVEL_S * audio.sample_rate_hz))
    first, last = (round(second * audio.sample_rate_hz) for second in (whole.start_s, whole.end_s))
    sound = audio.samples[first:last]
    sound = sound[: len(sound) // size * size].reshape(-1, size)
    powers = np.nan_to_num(sound**2).mean(axis=1, dtype=np.float64) if len(sound) else np.ones(1)
    sounding = np.concatenate([[0.0], np.cumsum(powers > _SOUNDING * powers.mean(), dtype=np.float64)])
    seconds = whole.start_s + np.linspace(0, 1, len(sounding)) * (whole.end_s - whole.start_s)
    for start, end in sentences(whole.text):
        share = np.array([start, end]) / len(whole.text) * sounding[-1]
        begin = seconds[max(0, int(np.searchsorted(sounding, share[0], "right")) - 1)]
        stop = seconds[min(len(seconds) - 1, int(np.searchsorted(sounding, share[1], "left")))]
        yield Segment(float(begin), float(max(begin, stop)), whole.text[start:end])


def _groups(said: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Yield segments in runs that make an element: ended by a sentence after 5 s, by a pause, or by 20 s."""
    group: list[Segment] = []
    for segment in said:
        if group:
            long = segment.end_s - group[0].start_s > MAX_ELEMENT_S
            enough = group[-1].end_s - group[0].start_s >= MIN_ELEMENT_S and group[-1].text.endswith(_ENDS)
            if long or enough or segment.start_s - group[-1].end_s > MAX_PAUSE_S:
                yield group
                group = []
        group.append(segment)
    if group:
        yield group


def _element(group: Sequence[Segment]) -> Element:
    text = " ".join(segment.text for segment in group)
    return Element(text, start_s=round(group[0].start_s, 2), end_s=round(group[-1].end_s, 2))
