"""What is said in words of our own, in each language we have: refusals, hedges, greetings and a persona's frame."""

import re
from dataclasses import dataclass

from pipelines.turn.wording.words import plain_words


@dataclass(frozen=True)
class Phrases:
    """The fixed phrases of one language. `missing`, `nearest`, `says` and `place` take what is named.

    `openings` and `closings` are a persona's frame: by formality (casual, even, formal), then by energy
    (calm, even, lively); an empty one says nothing.
    """

    dont_know: str
    missing: str
    nearest: str
    says: str
    place: str
    unsure: str
    conjunction: str
    hello: str
    welcome: str
    openings: tuple[tuple[str, str, str], tuple[str, str, str], tuple[str, str, str]]
    closings: tuple[tuple[str, str, str], tuple[str, str, str], tuple[str, str, str]]
    small_words: frozenset[str]


ENGLISH = Phrases(
    dont_know="I don't know from these documents.",
    missing="I found nothing about {words}.",
    nearest="The nearest I found is in {places}.",
    says="The nearest I found, in {places}, says: “{quote}”",
    place="{name} (“{heading}”)",
    unsure="I am not certain, but this comes nearest:",
    conjunction="and",
    hello="Hello! What would you like to know?",
    welcome="You're welcome.",
    openings=(
        ("Sure.", "Sure, here you go!", "Hey, great question!"),
        ("", "", "Good question!"),
        ("Thank you for your question.", "Thank you for your question.", "Thank you very much for your question!"),
    ),
    closings=(
        ("", "Anything else?", "Just ask if you want to know more!"),
        ("", "", "I am happy to tell you more!"),
        (
            "Please ask if anything remains unclear.",
            "Please let me know if I may assist you further.",
            "It will be a pleasure to assist you further!",
        ),
    ),
    small_words=frozenset("the is are what how do does can of to and in a an my your when who where which".split()),
)

GERMAN = Phrases(
    dont_know="Das weiß ich aus diesen Dokumenten nicht.",
    missing="Zu {words} habe ich nichts gefunden.",
    nearest="Am nächsten kommt {places}.",
    says="Am nächsten kommt {places}: „{quote}“",
    place="{name} („{heading}“)",
    unsure="Ich bin nicht sicher, aber dies kommt am nächsten:",
    conjunction="und",
    hello="Hallo! Was möchten Sie wissen?",
    welcome="Gern geschehen.",
    openings=(
        ("Klar.", "Klar, hier ist es!", "Hey, tolle Frage!"),
        ("", "", "Gute Frage!"),
        ("Vielen Dank für Ihre Frage.", "Vielen Dank für Ihre Frage.", "Haben Sie herzlichen Dank für Ihre Frage!"),
    ),
    closings=(
        ("", "Noch etwas?", "Frag einfach, wenn du mehr wissen willst!"),
        ("", "", "Gern erzähle ich mehr!"),
        (
            "Bitte fragen Sie, falls etwas unklar ist.",
            "Gern helfe ich Ihnen weiter.",
            "Es ist mir eine Freude, Ihnen weiterzuhelfen!",
        ),
    ),
    small_words=frozenset("der die das ist sind was wie wer wo wann kann ich und ein eine wir man für mein".split()),
)

SPANISH = Phrases(
    dont_know="No lo sé por estos documentos.",
    missing="No encontré nada sobre {words}.",
    nearest="Lo más cercano está en {places}.",
    says="Lo más cercano, en {places}, dice: «{quote}»",
    place="{name} («{heading}»)",
    unsure="No estoy seguro, pero esto es lo más cercano:",
    conjunction="y",
    hello="¡Hola! ¿Qué desea saber?",
    welcome="De nada.",
    openings=(
        ("Claro.", "¡Claro, aquí tienes!", "¡Hola, qué buena pregunta!"),
        ("", "", "¡Buena pregunta!"),
        ("Gracias por su pregunta.", "Gracias por su pregunta.", "¡Muchísimas gracias por su pregunta!"),
    ),
    closings=(
        ("", "¿Algo más?", "¡Pregunta si quieres saber más!"),
        ("", "", "¡Con gusto cuento más!"),
        (
            "No dude en preguntar si algo no queda claro.",
            "Quedo a su disposición.",
            "¡Será un placer seguir ayudándole!",
        ),
    ),
    small_words=frozenset(
        "el la los las es son qué que cómo como quién dónde cuándo cuánto cuesta un una y mi".split()
    ),
)

FRENCH = Phrases(
    dont_know="Je ne le sais pas d'après ces documents.",
    missing="Je n'ai rien trouvé sur {words}.",
    nearest="Le plus proche se trouve dans {places}.",
    says="Le plus proche, dans {places}, dit : « {quote} »",
    place="{name} (« {heading} »)",
    unsure="Je n'en suis pas certain, mais voici le plus proche :",
    conjunction="et",
    hello="Bonjour ! Que souhaitez-vous savoir ?",
    welcome="Je vous en prie.",
    openings=(
        ("Bien sûr.", "Bien sûr, voilà !", "Salut, excellente question !"),
        ("", "", "Bonne question !"),
        ("Merci pour votre question.", "Merci pour votre question.", "Un grand merci pour votre question !"),
    ),
    closings=(
        ("", "Autre chose ?", "N'hésite pas si tu veux en savoir plus !"),
        ("", "", "Je vous en dirai volontiers plus !"),
        (
            "N'hésitez pas à demander si un point reste obscur.",
            "Je reste à votre disposition.",
            "Ce sera un plaisir de vous aider encore !",
        ),
    ),
    small_words=frozenset(
        "le la les est sont que quel quelle quels comment qui où quand combien puis je un une des et du mon".split()
    ),
)

LANGUAGES = {"en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH}


def phrases(language: str | None) -> Phrases:
    """Return the phrases of a language given as "de", "de-AT" or "de_AT"; English where we have no other."""
    return LANGUAGES.get(re.split(r"[-_]", language or "en")[0].lower(), ENGLISH)


def language_of(text: str) -> str:
    """Return the language whose small words stand most in `text`: "en" where none leads."""
    said = plain_words(text)
    counts = {name: sum(word in one.small_words for word in said) for name, one in LANGUAGES.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] > counts["en"] else "en"


def small_words(text: str) -> frozenset[str]:
    """Return the small words of the text's language."""
    return phrases(language_of(text)).small_words


def is_refusal(text: str) -> bool:
    """Return whether the text is a refusal of the composer's, in any of our languages."""
    return text.lstrip().startswith(tuple(one.dont_know for one in LANGUAGES.values()))
