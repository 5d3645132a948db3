"""How well speech is understood: word error rate over recordings, by upload and as streamed PCM.

    python -m bench.speech FOLDER        (with a transcripts.tsv: file, text)

Beside the word errors: how long the answer took, as a share of the recording's length.
"""

import argparse
import time
from pathlib import Path

import av
import jiwer
import numpy as np

from bench.figures import load, row, table
from deploy import spoken
from deploy.ephemeral import Stack, ephemeral_stack

NORMAL = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.RemovePunctuation(),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.ReduceToListOfListOfWords(),
    ]
)


SILENCE_MS = 1500
"""A speech has pauses of a second; its recording is one utterance."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    lines = (args.folder / "transcripts.tsv").read_text().splitlines()[1:]
    clips = [(args.folder / name, text) for name, text in (line.split("\t") for line in lines)]
    with ephemeral_stack() as stack:
        before = load()
        for way, listen in (("POST /api/voice/transcribe", uploaded), ("WebSocket, streamed PCM", streamed)):
            heard, seconds = [], []
            for path, _ in clips:
                began = time.monotonic()
                heard.append(listen(stack, path))
                seconds.append((time.monotonic() - began) * 1e3)
            report(way, clips, heard, seconds)
        print(f"load {before} → {load()}")


def uploaded(stack: Stack, path: Path) -> str:
    """Return what the upload of a recording is transcribed to."""
    answer = stack.client.post("/api/voice/transcribe", files={"file": (path.name, path.read_bytes())})
    return str(answer.json().get("text", ""))


def streamed(stack: Stack, path: Path) -> str:
    """Return the transcript of a recording that is spoken into the socket in real time."""
    heard = spoken.ask(stack.url, pcm16(path), 16_000, "default-assistant", SILENCE_MS)
    return str(heard.events.get("turn.transcript", {}).get("text", ""))


def pcm16(path: Path) -> bytes:
    """Return a recording as mono PCM16 at 16 kHz."""
    resampler = av.AudioResampler("s16", "mono", 16_000)
    with av.open(str(path)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype("<i2").tobytes()


def report(way: str, clips: list[tuple[Path, str]], heard: list[str], millis: list[float]) -> None:
    """Print word errors over all clips, and each clip that was not understood word for word."""
    wrong = jiwer.wer([text for _, text in clips], heard, reference_transform=NORMAL, hypothesis_transform=NORMAL)
    print(f"\n{way}: WER {wrong:.1%} over {len(clips)} recordings")
    for (path, text), said in zip(clips, heard, strict=True):
        if jiwer.wer(text, said or "-", reference_transform=NORMAL, hypothesis_transform=NORMAL):
            print(f"  {path.name}: {text!r} → {said!r}")
    print(table(["ms", "p50", "p95", "p99", "max"], [row("request", millis)]))


if __name__ == "__main__":
    main()
