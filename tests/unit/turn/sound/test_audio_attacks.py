"""Recordings made to do harm are refused, quickly and in little memory."""

import io
import struct
import subprocess
import sys
import time
import zlib

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn.sound.audio import decode, pcm16, wav
from schemas.errors.sound import AudioTooLong, UndecodableAudio
from tests.unit.bombs import deflated
from tests.unit.turn.recordings import encoded, raw_wav, tone


def test_the_limit_counts_decoded_seconds_not_bytes() -> None:
    silence = io.BytesIO()
    with av.open(silence, "w", format="flac") as output:
        stream = output.add_stream("flac", rate=8_000, layout="mono")
        for _ in range(3_600):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8_000), np.int16), "s16", "mono")
            frame.sample_rate = 8_000
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    assert len(silence.getvalue()) < 1_000_000  # As PCM it is 57 MB.
    with pytest.raises(AudioTooLong):
        decode(silence.getvalue(), 600)


def test_the_limit_binds_the_work_of_many_channels_too() -> None:
    with pytest.raises(AudioTooLong):
        decode(raw_wav(bytes(64 * 2 * 384_000), channels=64, rate_hz=384_000), 20)
    assert decode(raw_wav(bytes(64 * 2 * 384_000), channels=64, rate_hz=384_000), 60).duration_s == 1


def peak_mib(data: bytes) -> float:
    """Return by how much refusing `data` raises the peak memory of a process that did nothing else."""
    code = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from pipelines.turn.sound.audio import decode\n"
        "from schemas.errors.sound import UndecodableAudio\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "before = peak()\n"
        "try: decode(sys.stdin.buffer.read(), 60)\n"
        "except UndecodableAudio: print((peak() - before) / 1024)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True, timeout=120)
    return float(found.stdout)


def fragmented() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"movflags": "empty_moov", "frag_duration": "100000"}) as output:
        stream = output.add_stream("aac", rate=44_100, layout="mono")
        for at in range(44):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1_024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 44_100, at * 1_024
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return file.getvalue()


def test_an_index_of_millions_of_packets_is_refused_before_it_is_built() -> None:
    whole, parts = bytearray(encoded("ipod", "aac", 44_100)), bytearray(fragmented())
    assert decode(bytes(parts), 60).duration_s == pytest.approx(1, abs=0.1)
    sizes, chunks, run = whole.find(b"stsz"), whole.find(b"stsc"), parts.find(b"trun")
    whole[sizes + 8 : sizes + 16] = struct.pack(">II", 1, 5_000_000)
    whole[chunks + 16 : chunks + 20] = struct.pack(">I", 5_000_000)
    parts[run + 4 : run + 12] = struct.pack(">II", 1, 5_000_000)
    assert peak_mib(bytes(whole)) < 40
    with pytest.raises(UndecodableAudio, match="index"):
        decode(bytes(parts), 60)


def test_an_index_that_names_the_same_bytes_again_and_again_is_refused() -> None:
    file = bytearray(fragmented())
    part, runs = file.find(b"moof"), 0
    while part >= 0:
        head, run = file.find(b"tfhd", part), file.find(b"trun", part)
        # This part's five packets are now most of the file, from its beginning on.
        file[head + 24 : head + 28] = struct.pack(">I", len(file) // 6)
        file[run + 12 : run + 16] = struct.pack(">i", 4 - part)
        part, runs = file.find(b"moof", run), runs + 1
    assert runs > 5
    with pytest.raises(UndecodableAudio, match="index"):
        decode(bytes(file), 60)


def test_a_cover_picture_is_never_decoded() -> None:
    side = 12_000
    squeezed = deflated(bytes((1 + 3 * side) * 100), side // 100)
    parts = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", squeezed), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n"
    for name, body in parts:
        png += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    picture = b"\0image/png\0\x03\0" + png
    picture = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    length = bytes(len(picture) >> shift & 0x7F for shift in (21, 14, 7, 0))
    mp3 = encoded("mp3", "libmp3lame", 44_100)
    started = time.process_time()
    assert decode(b"ID3\x03\0\0" + length + picture + mp3, 60).duration_s == pytest.approx(1, abs=0.1)
    assert time.process_time() - started < 0.5


NOTHING = {
    "empty": b"",
    "no samples": wav(b"", 16_000),
    "header cut": wav(b"", 16_000)[:20],
    "unknown codec": raw_wav(bytes(32_000), code=0x1234),
    "no channels": raw_wav(bytes(32_000), channels=0),
    "65,535 channels": raw_wav(bytes(320_000), channels=65_535),
    "rate of 0": raw_wav(bytes(32_000), rate_hz=0),
    "rate of 1": raw_wav(bytes(32_000), rate_hz=1),
    "rate of 4 GHz": raw_wav(bytes(32_000), rate_hz=0xFFFFFFFF),
    "text": b"Hello, this is no sound at all.",
    "zeros": bytes(100_000),
    "ones": b"\xff" * 100_000,
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(1_000),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_sound_is_refused(name: str) -> None:
    with pytest.raises(UndecodableAudio):
        decode(NOTHING[name], 60)


@pytest.mark.parametrize(
    "script",
    [
        "#EXTM3U\n#EXTINF:1,\nfile://{path}\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{path}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
    ],
)
@pytest.mark.parametrize("disguise", [b"", b"ID3\x03\x00\x00\x00\x00\x00\x00"])
def test_a_playlist_never_opens_another_file(
    script: str, disguise: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.wav"
    secret.write_bytes(wav(pcm16(tone(1, 16_000)), 16_000))
    with pytest.raises(UndecodableAudio):
        decode(disguise + script.format(path=secret).encode(), 60)


@given(
    st.sampled_from(
        [b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b"\x1a\x45\xdf\xa3", b"\0\0\0\x20ftyp", b"ID3", b"\xff\xfb"]
    ),
    st.binary(max_size=2_000),
)
def test_damaged_bytes_end_in_a_clear_error_or_sound(magic: bytes, rest: bytes) -> None:
    try:
        found = decode(magic + rest, 60).samples
    except (UndecodableAudio, AudioTooLong):
        return
    assert np.isfinite(found).all()
