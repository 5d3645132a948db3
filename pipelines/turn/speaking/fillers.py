"""What a caller hears while the answer is late. It is no part of the answer, nor of what was said."""

from collections.abc import Mapping, Sequence
from uuid import UUID

SEQ = -1
"""Number of the filler among the sentences of an answer: before the first."""

OURS: Mapping[str, tuple[str, ...]] = {
    "en": ("One moment, please.", "Let me look that up.", "Just a second."),
    "de": ("Einen Moment, bitte.", "Ich sehe kurz nach."),
    "fr": ("Un instant, s'il vous plaît.", "Je regarde tout de suite."),
    "es": ("Un momento, por favor.", "Déjeme mirarlo."),
    "it": ("Un attimo, per favore.", "Controllo subito."),
    "pt": ("Um momento, por favor.", "Vou verificar."),
    "nl": ("Een ogenblik, alstublieft.", "Ik zoek het even op."),
    "pl": ("Chwileczkę, proszę.",),
    "tr": ("Bir saniye lütfen.",),
    "ja": ("少々お待ちください。",),
    "zh": ("请稍等。",),
}
"""Where an assistant has no words of its own in the language that it answers in."""


def filler(own: Mapping[str, Sequence[str]], language: str | None, turn_id: UUID) -> str | None:
    """Return what to say in a turn; None where nobody has words for its `language`, a BCP 47 tag; unknown is English.

    An assistant's `own` words go before ours, those of "en-GB" before those of "en". The same turn gets the same words.
    """
    asked = (language or "en").lower()
    named = {name.lower(): texts for name, texts in own.items()}
    for texts in (named.get(asked), named.get(asked.split("-")[0]), OURS.get(asked.split("-")[0])):
        if texts:
            return texts[turn_id.int % len(texts)]
    return None
