"""What a listener is told whose question was not understood or cannot be answered: silence would tell nothing."""

from dataclasses import dataclass

from schemas.errors.providers import NotHeard
from schemas.errors.sound import NoSpeech

SILENT = frozenset({NoSpeech.code})
"""Codes of failures that nothing is said of: nobody has spoken."""


@dataclass(frozen=True)
class Apology:
    """The sentences of one language: where nothing was understood, and where no answer could be made."""

    not_heard: str
    failed: str


APOLOGIES = {
    "en": Apology(
        "I am sorry, I did not understand you. Please say it again.",
        "I am sorry, I cannot answer just now. Please ask again.",
    ),
    "de": Apology(
        "Entschuldigung, ich habe Sie nicht verstanden. Bitte sagen Sie es noch einmal.",
        "Entschuldigung, ich kann gerade nicht antworten. Bitte fragen Sie noch einmal.",
    ),
    "es": Apology(
        "Lo siento, no le he entendido. Repítalo, por favor.",
        "Lo siento, ahora no puedo responder. Pregunte otra vez, por favor.",
    ),
    "fr": Apology(
        "Je suis désolé, je ne vous ai pas compris. Veuillez répéter.",
        "Je suis désolé, je ne peux pas répondre pour le moment. Veuillez redemander.",
    ),
    "it": Apology(
        "Mi dispiace, non ho capito. Può ripetere, per favore?",
        "Mi dispiace, ora non posso rispondere. Chieda di nuovo, per favore.",
    ),
    "pt": Apology(
        "Desculpe, não entendi. Repita, por favor.",
        "Desculpe, não posso responder agora. Pergunte de novo, por favor.",
    ),
    "nl": Apology(
        "Sorry, ik heb u niet verstaan. Zegt u het alstublieft nog eens.",
        "Sorry, ik kan nu niet antwoorden. Vraagt u het alstublieft nog eens.",
    ),
}


def apology(code: str, language: str | None) -> str:
    """Return what is said of a failure with this code, in the language (a BCP 47 tag) or else in English."""
    said = APOLOGIES.get((language or "en").partition("-")[0].lower(), APOLOGIES["en"])
    return said.not_heard if code == NotHeard.code else said.failed
