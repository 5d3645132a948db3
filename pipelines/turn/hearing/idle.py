"""How much sound may gather before anything can be found in it."""

from pipelines.ports.sound import STT_RATE_HZ
from pipelines.turn.hearing.heard import EndpointingOptions
from pipelines.turn.hearing.utterance import GAP, MS, ONSET, Utterance
from pipelines.turn.hearing.voice_activity import FRAME, TICK


def idle(utterance: Utterance | None, options: EndpointingOptions, heard: int, watchful: bool) -> float:
    """Return after how many samples beyond the `heard` ones something can be found at the earliest.

    See `Endpointer.idle_s`.
    """
    frame = FRAME - heard % FRAME
    if utterance is None:
        # A voice counts from its onset, that long before the end of its first frame.
        unproven = max(options.min_speech_ms * MS - ONSET - TICK - FRAME, 0)
        return frame + min(unproven, FRAME) if watchful else frame + unproven
    if watchful:
        return frame
    if options.mode == "push_to_talk":
        return 0  # The key may be let go at any time.
    at = [utterance.kept_from + options.max_utterance_s * STT_RATE_HZ]
    if utterance.speaking:
        at.append(utterance.end + utterance.needed)
        if utterance.paused is None and options.speculate_after_ms is not None:
            at.append(utterance.end + options.speculate_after_ms * MS)
    else:
        at.append(utterance.end + min(options.max_gap_ms, options.silence_ms) * MS)
        at.append(_begins(utterance, options, heard, frame))
    # What is due already waits for the detector's word on a sound, which it has at the end of a frame.
    return max(min(at) - heard, 0) or frame


def _begins(utterance: Utterance, options: EndpointingOptions, heard: int, frame: int) -> int:
    """Return where the utterance is proved to be speech at the earliest."""
    unproven = options.min_speech_ms * MS - utterance.voiced
    proven = utterance.judged + unproven
    # A voice that is quiet now goes on with a whole frame.
    soonest = TICK if heard - utterance.end <= GAP + TICK else frame
    return max(min(proven, heard + frame) if unproven <= FRAME else proven, heard + soonest)
