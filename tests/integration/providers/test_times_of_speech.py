"""The local transcriber tells when something is said, through every container a recording comes in."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import jiwer
import numpy as np
import pytest
from test_whisper import MISLABELLED, plain, transcripts

from pipelines.ingest import recording as recordings
from pipelines.ingest.listen import elements
from pipelines.ports.sound import Audio
from pipelines.providers.local.whisper import Whisper
from tests.unit.ingest.sounds import encoded

pytestmark = pytest.mark.timeout(700)
"""What is started here takes a while: more than others have where the machine is busy, and a place in front."""

RATE_HZ = 16_000
GAPS_S = (0.4, 3.0, 1.0, 6.0, 0.7, 2.0, 12.0, 0.5, 1.5)
Read = Callable[[str], Audio]
KINDS = ["wav", "flac", "mp3", "m4a", "ogg", "webm"] if "AURA_EVERY_RECORDING" in os.environ else ["wav", "webm"]
"""A minute is listened to in each. That a piece holds the sound of its time in all of them is tried without a model,
in `tests/unit/ingest/test_recordings.py`."""


@pytest.fixture(scope="module")
def reading(recording: Read, shared_data: Path) -> tuple[np.ndarray, list[tuple[float, float, str]]]:
    """Return a minute of sentences, and (start_s, end_s, text) of each."""
    said = {name: text for name, text in transcripts(shared_data).items() if name not in MISLABELLED}
    names = [name for name in said if name.endswith(".wav")]
    parts, told, at = [np.zeros(RATE_HZ, np.float32)], [], 1.0
    for i, name in enumerate(names):
        sound = recording(name)
        told.append((at, at + sound.duration_s, said[name]))
        gap = np.zeros(int(GAPS_S[i % len(GAPS_S)] * RATE_HZ), np.float32)
        parts += [sound.samples, gap]
        at += sound.duration_s + len(gap) / RATE_HZ
    return np.concatenate(parts), told


@pytest.mark.parametrize("kind", KINDS)
def test_each_sentence_is_found_at_its_second(
    kind: str, reading: tuple[np.ndarray, list[tuple[float, float, str]]], whisper: Whisper
) -> None:
    samples, told = reading
    data = encoded(samples, kind)
    pieces = [(start, end, recordings.piece(data, start, end)) for start, end in recordings.plan(data).spans]
    found = elements(pieces, whisper, "en").elements
    whole = " ".join(element.text for element in found)
    assert jiwer.wer(plain(" ".join(text for *_, text in told)), plain(whole)) <= 0.1
    late = []
    for start, end, text in told:
        words = set(re.findall(r"\w+", plain(text)))
        # The one that holds most of the sentence's words, of those nearest in time.
        near = [
            one for one in found if one.start_s is not None and one.start_s - 2 < end and (one.end_s or 0) + 2 > start
        ]
        best = max(near, key=lambda one: len(words & set(plain(one.text).split())), default=None)
        if best is None or len(words & set(plain(best.text).split())) < len(words) / 2:
            late.append(text)
    assert late == []
    for element in found:
        first, last = plain(element.text).split()[:2], plain(element.text).split()[-2:]
        starts = [start for start, _, text in told if plain(text).split()[:2] == first]
        ends = [end for _, end, text in told if plain(text).split()[-2:] == last]
        assert not starts or min(abs((element.start_s or 0) - start) for start in starts) <= 2
        assert not ends or min(abs((element.end_s or 0) - end) for end in ends) <= 2


def test_asking_for_times_does_not_change_what_is_heard(whisper: Whisper, recording: Read) -> None:
    sound = recording("jfk.flac")
    plainly, timed = whisper.transcribe(sound), whisper.transcribe(sound, timestamps=True)
    assert plainly.segments == ()
    assert jiwer.wer(plain(plainly.text), plain(timed.text)) <= 0.1
    assert " ".join(segment.text for segment in timed.segments) == timed.text
    assert all(0 <= one.start_s <= one.end_s <= sound.duration_s for one in timed.segments)


def test_silence_between_sentences_is_counted(whisper: Whisper, recording: Read) -> None:
    sentence = recording("spk1_snt5.wav").samples
    silence = np.zeros(RATE_HZ * 10, np.float32)
    heard = whisper.transcribe(Audio(np.concatenate([silence, sentence, silence, sentence]), RATE_HZ), timestamps=True)
    starts = [segment.start_s for segment in heard.segments]
    assert abs(starts[0] - 10) <= 1
    assert abs(starts[-1] - (20 + len(sentence) / RATE_HZ)) <= 1.5


def test_silence_has_no_segments(whisper: Whisper) -> None:
    assert whisper.transcribe(Audio(np.zeros(RATE_HZ * 5, np.float32), RATE_HZ), timestamps=True).segments == ()


def test_each_word_is_told_with_its_second_and_how_sure_it_is(
    reading: tuple[np.ndarray, list[tuple[float, float, str]]], whisper: Whisper
) -> None:
    samples, told = reading
    found = whisper.transcribe(Audio(samples, RATE_HZ), words=True)
    assert found.language == "en"
    assert " ".join(word.text for word in found.words) == found.text
    assert all(word.confidence is not None and 0 <= word.confidence <= 1 for word in found.words)
    starts = [word.start_s for word in found.words]
    assert starts == sorted(starts)
    assert all(word.start_s <= word.end_s <= word.start_s + 2 for word in found.words)
    within = sum(any(start - 0.3 <= word.start_s <= end + 0.3 for start, end, _ in told) for word in found.words)
    assert within >= 0.93 * len(found.words)
    assert " ".join(segment.text for segment in found.segments) == found.text


def test_words_are_told_only_where_they_are_asked_for(whisper: Whisper) -> None:
    noise = np.random.default_rng(1).normal(0, 0.001, RATE_HZ).astype(np.float32)
    assert whisper.transcribe(Audio(noise, RATE_HZ), words=True).words == ()
