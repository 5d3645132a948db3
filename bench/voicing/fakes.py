"""The far ends of a spoken turn, in one process: transcription, chat and speech, each with a fixed delay.

They speak OpenAI's wire format, speech ElevenLabs' too. What they answer follows from what they are asked alone: the
question's sound carries caller and turn (`marks`), its text names both, the answer's sentences do, and so does
their sound. When each was called is kept and told at `/marks`.

    python -m bench.voicing.fakes '{"transcript_s": 0.2, …}'     prints its port
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from bench.voicing import marks

QUESTION = re.compile(r"turn (\d+) of caller (\d+)", re.IGNORECASE)
NO_TURN = "They spoke about the river."
NAMED = re.compile(r"Turn ([bdaeiou]{10}) says ([bdaeiou]{10})")


@dataclass(frozen=True)
class Delays:
    """How long the far ends take. `sentences` are tokens, and each sentence is `sentence_s` of sound."""

    transcript_s: float = 0.2
    first_token_s: float = 0.3
    tokens_per_s: float = 60.0
    first_sound_s: float = 0.15
    sound_speed: float = 20.0
    chunk_s: float = 0.1
    sentence_s: float = 1.5
    sentences: tuple[int, ...] = (12, 14, 14)
    words: str = "the quiet river carries every small boat past green hills toward open water"


def tokens(delays: Delays, mark: marks.Mark) -> list[str]:
    """Return the answer's tokens; every sentence names the turn, itself and the caller."""
    found = []
    words = delays.words.split()
    for seq, length in enumerate(delays.sentences):
        named = [" Turn", f" {marks.word(mark.turn * 10 + seq)}", " says", f" {marks.word(mark.caller)}"]
        found += [*named, *(f" {words[i % len(words)]}" for i in range(length - len(named) - 1)), " today."]
    found[0] = found[0].lstrip()
    return found


class FarEnds:
    """The three providers, and when they were called for which turn."""

    def __init__(self, delays: Delays) -> None:
        self._delays = delays
        self._called: dict[tuple[int, int], dict[str, float]] = {}
        self._unmarked = 0

    def _mark(self, mark: marks.Mark, name: str) -> None:
        self._called.setdefault((mark.caller, mark.turn), {}).setdefault(name, time.perf_counter())

    async def transcribe(self, request: web.Request) -> web.Response:
        """Answer with the turn that the sound's mark names."""
        form = await request.post()
        called = time.perf_counter()
        upload: Any = form["file"]
        mark = marks.read(upload.file.read()[44:])
        if mark is None:
            self._unmarked += 1
            return web.json_response({"text": "I am afraid this cannot be made out"})
        self._mark(mark, "stt_call")
        await _until(called + self._delays.transcript_s)
        self._mark(mark, "stt_final")
        return web.json_response({"text": f"turn {mark.turn} of caller {mark.caller} please tell me about the river"})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Stream the answer to the turn that is named last; what is no turn is answered at once."""
        asked = await request.json()
        called = time.perf_counter()
        found = QUESTION.findall(str(asked["messages"][-1]["content"]))
        if not asked.get("stream"):
            message = {"role": "assistant", "content": NO_TURN}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return web.json_response({**_about("chat.completion"), "choices": [choice]})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        said = [NO_TURN]
        if found:
            mark = marks.Mark(int(found[-1][1]), int(found[-1][0]))
            self._mark(mark, "llm_call")
            said = tokens(self._delays, mark)
        for number, token in enumerate(said):
            if found:
                await _until(called + self._delays.first_token_s + number / self._delays.tokens_per_s)
            if found and number == self._delays.sentences[0] - 1:
                self._mark(mark, "sentence_end")
            await response.write(_chunk({"index": 0, "delta": {"content": token}, "finish_reason": None}))
        await response.write(_chunk({"index": 0, "delta": {}, "finish_reason": "stop"}, len(said)))
        await response.write(b"data: [DONE]\n\n")
        return response

    async def speak(self, request: web.Request) -> web.StreamResponse:
        """Stream the sound of a sentence, or of the part of one that is asked for."""
        asked = await request.json()
        called = time.perf_counter()
        text = str(asked.get("text") or asked.get("input") or "")
        rate_hz = int(request.query.get("output_format", "pcm_24000").removeprefix("pcm_"))
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await response.prepare(request)
        named = NAMED.search(text)
        if named is None:
            await response.write(bytes(2 * int(rate_hz * self._delays.chunk_s)))
            return response
        turn, seq = divmod(marks.number(named[1]), 10)
        mark = marks.Mark(marks.number(named[2]), turn)
        self._mark(mark, f"tts_call_{seq}")
        samples = int(rate_hz * self._delays.chunk_s) // 2 * 2
        for piece in range(round(self._delays.sentence_s / self._delays.chunk_s)):
            await _until(called + self._delays.first_sound_s + piece * self._delays.chunk_s / self._delays.sound_speed)
            self._mark(mark, f"tts_first_{seq}")
            await response.write(marks.sound(turn, seq, mark.caller, piece, samples))
        return response

    async def told(self, _: web.Request) -> web.Response:
        """Answer when each turn's far ends were called, and forget it."""
        called = [{"caller": caller, "turn": turn, **found} for (caller, turn), found in self._called.items()]
        reply = {"turns": called, "unmarked": self._unmarked, "cpu_s": time.process_time()}
        self._called, self._unmarked = {}, 0
        return web.json_response(reply)


def _about(kind: str) -> dict[str, Any]:
    return {"id": "fake", "object": kind, "created": 0, "model": "fake"}


def _chunk(choice: dict[str, Any], count: int = 0) -> bytes:
    usage = {"prompt_tokens": 100, "completion_tokens": count, "total_tokens": 100 + count} if count else None
    chunk = {**_about("chat.completion.chunk"), "choices": [choice], "usage": usage}
    return f"data: {json.dumps(chunk)}\n\n".encode()


async def _until(instant: float) -> None:
    if (delay := instant - time.perf_counter()) > 0:
        await asyncio.sleep(delay)


async def serve(delays: Delays) -> None:
    """Serve on a free port of the loopback address, printed first, until killed."""
    ends = FarEnds(delays)
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/audio/transcriptions", ends.transcribe)
    app.router.add_post("/v1/chat/completions", ends.chat)
    app.router.add_post("/v1/audio/speech", ends.speak)
    app.router.add_post("/v1/text-to-speech/{voice}/stream", ends.speak)
    app.router.add_get("/marks", ends.told)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def settings(port: int) -> dict[str, str]:
    """Return the settings of a stack whose far ends are here."""
    address = f"http://127.0.0.1:{port}"
    return {
        "AURA_CHAT_PROVIDER": "custom",
        "AURA_CHAT_BASE_URL": f"{address}/v1",
        "AURA_CHAT_MODEL": "fake",
        "AURA_TRANSCRIBER": "custom",
        "AURA_TRANSCRIBER_BASE_URL": f"{address}/v1",
        "AURA_TRANSCRIPTION_MODEL": "fake",
        "AURA_SPEAKER": "custom",
        "AURA_SPEAKER_BASE_URL": f"{address}/v1",
        "AURA_SPEECH_MODEL": "fake",
        "AURA_SPEECH_VOICE": "fake",
        "AURA_SPEECH_FORMAT": "pcm",
    }


def given(delays: Delays) -> str:
    """Return the delays as the argument that `python -m bench.voicing.fakes` takes."""
    return json.dumps(asdict(delays))


if __name__ == "__main__":
    chosen = json.loads(sys.argv[1])
    asyncio.run(serve(Delays(**{**chosen, "sentences": tuple(chosen["sentences"])})))
