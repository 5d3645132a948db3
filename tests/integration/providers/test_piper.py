"""The local speaker, for real: what it says is what Whisper hears."""

import importlib.util
import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soxr
from test_whisper import plain

from pipelines.ports.sound import Audio
from pipelines.providers import weights
from pipelines.providers.local.piper import GAIN, JOE, Piper, make, speakable
from pipelines.providers.local.whisper import Whisper
from schemas.errors.requests import NotOffered
from schemas.settings import Settings

TEXT = "Your bicycle will be ready on Friday. Please bring the receipt with you."
LONG = "The shop opens at nine in the morning and on Sundays it stays closed all day so please come back on Monday."


@pytest.fixture(scope="module")
def piper(cache_dir: Path) -> Piper:
    """Return the local speaker; it is an extra."""
    if importlib.util.find_spec("piper") is None:
        pytest.skip("needs the `piper` extra")
    return Piper(cache_dir)


def test_what_it_says_is_what_is_heard(piper: Piper, whisper: Whisper) -> None:
    def errors() -> float:
        pcm = np.frombuffer(b"".join(piper.speak(TEXT)), "<i2").astype(np.float32) / 32768
        assert 2 < len(pcm) / piper.sample_rate_hz < 8
        heard = whisper.transcribe(Audio(soxr.resample(pcm, piper.sample_rate_hz, 16_000), 16_000))
        return float(jiwer.wer(plain(TEXT), plain(heard.text)))

    # It says nothing twice alike, and may mumble once.
    assert any(errors() <= 0.08 for _ in range(3))


def test_the_first_sound_does_not_wait_for_the_sentence(piper: Piper) -> None:
    def spoken() -> tuple[float, bytes, list[bytes]]:
        pieces = piper.speak(LONG)
        assert isinstance(pieces, Iterator)
        began = time.process_time()
        first = next(pieces)
        first_s, began = time.process_time() - began, time.process_time()
        rest = list(pieces)
        return first_s / (time.process_time() - began), first, rest

    # Threads that wait for each other use the processor as well, where others are at work on it: the best of some.
    share, first, rest = min((spoken() for _ in range(4)), key=lambda found: found[0])
    assert share < 0.7
    assert len(first) / 2 / piper.sample_rate_hz == pytest.approx(24 * 256 / 22_050)
    assert all(len(piece) % 2 == 0 and len(piece) / 2 / piper.sample_rate_hz < 3.5 for piece in rest)


def test_the_pieces_of_a_sentence_join_without_a_seam(piper: Piper) -> None:
    frames = piper._framed(piper._voice.phonemes_to_ids(piper._voice.phonemize(LONG)[0]), 1.0)
    whole = np.frombuffer(piper._sound(frames, 0, frames.shape[2]), "<i2").astype(int)
    edges = [0, 24, 72, 100, frames.shape[2]]
    joined = b"".join(piper._sound(frames, start, end) for start, end in itertools.pairwise(edges))
    np.testing.assert_allclose(np.frombuffer(joined, "<i2").astype(int), whole, atol=2)


def test_both_halves_of_the_model_are_the_model(piper: Piper, cache_dir: Path) -> None:
    import onnxruntime

    model = onnxruntime.InferenceSession(weights.verify("piper-joe", cache_dir), providers=["CPUExecutionProvider"])
    ids = piper._voice.phonemes_to_ids(piper._voice.phonemize(TEXT)[0])
    # Without its noise the voice says the same twice.
    kept = vars(piper._config).copy()
    piper._config.noise_scale = piper._config.noise_w_scale = 0.0
    frames = piper._framed(ids, 1.0)
    piper._config.__dict__.update(kept)
    asked = {
        "input": np.array([ids], np.int64),
        "input_lengths": np.array([len(ids)], np.int64),
        "scales": np.array([0, kept["length_scale"], 0], np.float32),
    }
    expected = np.clip(model.run(None, asked)[0].ravel() * GAIN, -1, 1)
    found = np.frombuffer(piper._sound(frames, 0, frames.shape[2]), "<i2") / 32767
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(("speed", "share"), [(0.5, 2.0), (2.0, 0.5)])
def test_it_speaks_faster_or_slower(speed: float, share: float, piper: Piper) -> None:
    usual, asked = (sum(map(len, piper.speak(LONG, speed=pace))) for pace in (1.0, speed))
    assert asked / usual == pytest.approx(share, rel=0.2)


def test_the_sound_is_loud_and_hardly_ever_clipped(piper: Piper) -> None:
    pcm = np.abs(np.frombuffer(b"".join(piper.speak(f"{TEXT} {LONG}")), "<i2").astype(int))
    assert pcm.max() > 20_000
    assert (pcm >= 32_767).mean() < 1e-4


@pytest.mark.parametrize("text", ["", " \n", "...", "!?", "\x00"])
def test_what_cannot_be_said_is_not(text: str, piper: Piper) -> None:
    assert list(piper.speak(text)) == []


def test_odd_characters_do_not_stop_it(piper: Piper) -> None:
    assert b"".join(piper.speak("Good\x00 morning \x07 [[ hˈɛ ]] 😀 日本語 ]] 100 €"))


def test_there_is_one_voice(piper: Piper) -> None:
    assert piper.voices() == (JOE,)
    assert piper.sample_rate_hz == 22_050


def test_brackets_are_not_phonemes() -> None:
    assert "[[" not in speakable("See [[w1]] for more.")


def test_without_piper_it_says_which_extra_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(NotOffered, match="`piper` extra"):
        make(Settings(data_dir=tmp_path, _env_file=None))  # type: ignore[call-arg]
