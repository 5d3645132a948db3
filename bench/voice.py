"""What AURA adds to a spoken turn, at 1 to 100 callers, beside the frameworks that do the same work in one process.

    python -m bench.voice --sessions 1,10,50,100 --seconds 60 [--peers FOLDER --speech FOLDER --peer-python PYTHON]

AURA is the whole stack (web process, every pool of the Procfile, Valkey, Postgres) behind real sockets; only the
far ends are played, over their real wire formats, by one process of fixed delays (`bench/voicing/fakes.py`). All
processes count. FOLDER holds the peers' scripts and the work that all do (`workload.py`, `measure.py`); without it
the callers do work of the same kind on speech that Piper makes (`bench/voicing/own.py`).
"""

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import wave
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import soxr

from bench.voicing import aura, embedded, fakes, own
from bench.voicing.peers import Peers
from bench.voicing.summary import details, line, summary, whole
from deploy.ephemeral import Stack, ephemeral_stack
from deploy.places import REPO
from pipelines import providers
from pipelines.turn.sound.audio import pcm16, samples
from schemas.settings import Settings

PEERS = (("floor", "tuned"), ("livekit", "tuned"), ("pipecat", "tuned"))
MANY = 25
"""From so many sessions on a peer is given two processes, as it needs them."""

CONSTANTS = (
    "import json, workload as w;"
    "print(json.dumps({k: v for k, v in vars(w).items() if k.isupper() and isinstance(v, (int, float, tuple))}))"
)

VARIANTS = {
    "fixed": {"adaptive": False, "speculate": False},
    "speculate": {"adaptive": False},
    "adaptive": {},
    "begin": {"speculative_generation": True},
}
"""How the end of speech is found and what is done before it, on top of each other: `fixed` is what the peers do,
`speculate` transcribes and retrieves from the first pause, `adaptive` lets words and melody shorten the silence, and
`begin` begins the answer from the first pause."""

SAYINGS = (
    "Where do I leave the bike when the shop is closed?",
    "When is the shop open on Sundays?",
    "How many days of paid holiday do I have?",
    "Can I cancel my booking a day before the tour?",
    "What does a city bike cost for a whole day?",
    "Please tell me about the river.",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", default="1,10,50,100", help="numbers of callers, by commas")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--peers", type=Path, help="folder of workload.py, measure.py and the peers")
    parser.add_argument("--peer-python", default=sys.executable, help="the Python that has what the peers import")
    parser.add_argument("--speech", type=Path, help="folder of the recordings that the work in --peers names")
    parser.add_argument("--only", choices=["aura", "peers"], help="leave the others out")
    parser.add_argument("--variants", default="fixed", help=f"of AURA, by commas: {', '.join(VARIANTS)}")
    parser.add_argument("--knowledge", action="store_true", help="search docs/samples in every turn")
    parser.add_argument("--start", type=json.loads, default={}, help="more fields of `start`, as JSON")
    parser.add_argument("--setting", action="append", default=[], help="AURA_NAME=value for the stack")
    parser.add_argument("--logs", type=Path, help="keep the logs of the stack here")
    parser.add_argument("--out", type=Path, help="keep all that was found here, as JSON lines")
    parser.add_argument("--embedded", type=int, metavar="N", help="instead: N questions to the models that run here")
    args = parser.parse_args()
    if args.embedded:
        embedded.measure(args.embedded, args.speech)
        return
    counts = [int(count) for count in args.sessions.split(",")]
    rows = [] if args.only == "peers" else of_aura(args, counts)
    if args.peers is not None and args.only != "aura":
        rows += of_peers(args, counts)
    print("\n" + whole(sorted(rows, key=lambda cells: int(cells[2]))))


def of_aura(args: argparse.Namespace, counts: list[int]) -> list[list[str]]:
    """Run AURA with each number of callers and return its rows."""
    work = _work(args.peers, args.peer_python)
    set_here = dict(setting.split("=", 1) for setting in args.setting)
    rows = []
    with tempfile.TemporaryDirectory(prefix="aura-voice-") as folder, aura.far_ends(_delays(work)) as (url, process):
        settings = {**fakes.settings(int(url.rpartition(":")[2])), **set_here}
        with ephemeral_stack(settings) as stack:
            speech = args.speech if args.peers else _spoken(Path(folder))
            if args.knowledge:
                for path in sorted((REPO / "docs" / "samples").iterdir()):
                    stack.upload(path.name, path.read_bytes(), wait_s=120)
            python = args.peer_python if args.peers else sys.executable
            what = aura.Run(counts[0], args.seconds, speech, args.peers, python)
            aura.warm_up(stack, what)
            for count, variant in itertools.product(counts, args.variants.split(",")):
                start = {"endpointing": {"silence_ms": round(work.VAD_STOP_S * 1e3), **VARIANTS[variant]}, **args.start}
                found = aura.run(stack, url, process, replace(what, sessions=count, start=start))
                rows.append(_shown(args, work, stack, found, variant))
                if args.logs:
                    shutil.copytree(stack.data_dir / "logs", args.logs, dirs_exist_ok=True)
    return rows


def _shown(args: argparse.Namespace, work: Any, stack: Stack, found: dict[str, Any], variant: str) -> list[str]:
    """Print a run and return its row."""
    one = summary(found, work)
    processes = len(stack.launcher_process().children(recursive=True))
    print(f"\n## AURA, {found['sessions']} sessions, {variant}\n{details(found, one)}", flush=True)
    if args.out:
        with args.out.open("a") as file:
            file.write(json.dumps({"variant": variant, **found}) + "\n")
    return line("AURA", variant + ", knowledge" * args.knowledge, processes, one)


def of_peers(args: argparse.Namespace, counts: list[int]) -> list[list[str]]:
    """Run the peers with each number of callers and return their rows."""
    peers = Peers(args.peers, args.peer_python, args.speech)
    rows = []
    for count in counts:
        processes = 2 if count >= MANY else 1
        for peer, variant in PEERS:
            found = peers.run(peer, variant, count, processes, args.seconds)
            if found is not None:
                rows.append(line(peer, variant, processes, found))
    return rows


def _work(folder: Path | None, python: str) -> Any:
    """Return the constants of the work: ours, or those of a folder, read in the Python that can import it."""
    if folder is None:
        return own
    told = subprocess.run([python, "-c", CONSTANTS], cwd=folder, check=True, capture_output=True, text=True)
    return SimpleNamespace(**json.loads(told.stdout))


def _delays(work: Any) -> fakes.Delays:
    """Return the far ends' delays as the work has them."""
    return fakes.Delays(
        transcript_s=work.STT_FINAL_S,
        first_token_s=work.LLM_FIRST_S,
        tokens_per_s=work.LLM_TOKENS_PER_S,
        first_sound_s=work.TTS_FIRST_S,
        sound_speed=work.TTS_SPEED,
        chunk_s=work.TTS_CHUNK_S,
        sentence_s=work.SENTENCE_AUDIO_S,
        sentences=tuple(work.SENTENCE_TOKENS),
    )


def _spoken(folder: Path) -> Path:
    """Fill the folder with sayings in the local voice, mono PCM16 at 16 kHz, and return it."""
    speaker = providers.speaker(Settings(speaker="local"))
    for number, saying in enumerate(SAYINGS):
        said = samples(b"".join(speaker.speak(saying)))
        with wave.open(str(folder / f"{number}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(own.IN_RATE_HZ)
            file.writeframes(pcm16(soxr.resample(said, speaker.sample_rate_hz, own.IN_RATE_HZ)))
    return folder


if __name__ == "__main__":
    main()
