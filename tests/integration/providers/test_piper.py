"""The local speaker, for real: what it says is what Whisper hears."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soxr
from test_whisper import plain

from pipelines.ports import Audio
from pipelines.providers.local.piper import JOE, Piper, make, speakable
from pipelines.providers.local.whisper import Whisper
from schemas.errors import NotOffered
from schemas.settings import Settings

TEXT = "Your bicycle will be ready on Friday. Please bring the receipt with you."


@pytest.fixture(scope="module")
def piper(cache_dir: Path) -> Piper:
    """Return the local speaker; it is an extra."""
    if importlib.util.find_spec("piper") is None:
        pytest.skip("needs the `piper` extra")
    return Piper(cache_dir)


def test_what_it_says_is_what_is_heard(piper: Piper, whisper: Whisper) -> None:
    pcm = np.frombuffer(b"".join(piper.speak(TEXT)), "<i2").astype(np.float32) / 32768
    heard = whisper.transcribe(Audio(soxr.resample(pcm, piper.sample_rate_hz, 16_000), 16_000))
    assert jiwer.wer(plain(TEXT), plain(heard.text)) <= 0.08
    assert 2 < len(pcm) / piper.sample_rate_hz < 8


def test_each_sentence_is_given_out_as_soon_as_it_is_spoken(piper: Piper) -> None:
    pieces = piper.speak(TEXT)
    assert isinstance(pieces, Iterator)
    first, second = pieces
    assert all(len(piece) > piper.sample_rate_hz and len(piece) % 2 == 0 for piece in (first, second))


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
