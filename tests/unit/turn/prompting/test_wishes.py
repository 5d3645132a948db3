"""What counts as a wish about answers, and what only looks like one."""

import time

import pytest

from pipelines.turn.prompting.preferences import MAX_READ_CHARS, acknowledgement, hear, question_of

WISHES = [
    ("Call me Ada.", {"name": "Ada"}),
    ("please call me ada", {"name": "ada"}),
    ("You can call me Dr. Jane O'Neil", {"name": "Dr. Jane O'Neil"}),
    ("Hi, my name is José García and I have a question", {"name": "José García"}),
    ("Nenn mich bitte Otto", {}),
    ("Ich heiße Zoë", {"name": "Zoë"}),
    ("Je m'appelle Zoé", {"name": "Zoé"}),
    ("Please answer shortly", {"detail": 0.15}),
    ("Keep your answers brief, thanks", {"detail": 0.15}),
    ("I prefer short answers", {"detail": 0.15}),
    ("could you be more concise?", {"detail": 0.15}),
    ("Bitte antworte kurz", {"detail": 0.15}),
    ("Please answer in detail", {"detail": 0.85}),
    ("I like detailed answers", {"detail": 0.85}),
    ("Please reply in German", {"language": "de"}),
    ("From now on answer in Spanish", {"language": "es"}),
    ("In French, please.", {"language": "fr"}),
    ("Antworte bitte auf Englisch", {"language": "en"}),
    ("Réponds en anglais", {"language": "en"}),
    ("Responde siempre en inglés", {"language": "en"}),
    ("I prefer metric units", {"units": "metric"}),
    ("Please use imperial units", {"units": "imperial"}),
    ("Be formal, please", {"formality": 0.85}),
    ("No need to be so formal", {"formality": 0.15}),
    ("please be less formal", {"formality": 0.15}),
    ("Du kannst mich duzen", {"formality": 0.15}),
    ("Be more enthusiastic!", {"energy": 0.85}),
    ("I prefer a calm tone", {"energy": 0.15}),
    ("Call me Ada, answer in German and keep it short", {"name": "Ada", "language": "de", "detail": 0.15}),
]

NO_WISHES = [
    "Call me back tomorrow",
    "Call me when it arrives",
    "Please call me at 5",
    "Who do I call?",
    "Don't call me Bob",
    'What does "call me Ishmael" mean?',
    "What does ‘answer shortly’ mean?",
    "My name is on the invoice, but it is wrong",
    "What is the name of the CEO?",
    "Is the manual available in German?",
    "Do you speak German?",
    "How do I say hello in German?",
    "Which offices answer in French?",
    "I prefer German beer",
    "What are the details of the plan?",
    "Explain short circuits",
    "Explain brief therapy",
    "I like short stories",
    "How long are short answers in the exam?",
    "Does the report use metric units?",
    "What is the metric system?",
    "What should formal letters look like?",
    "How enthusiastic were the customers?",
    "Who wrote in English?",
]


@pytest.mark.parametrize(("message", "expected"), WISHES)
def test_wishes_are_found(message: str, expected: dict[str, object]) -> None:
    assert {wish.key: wish.value for wish in hear(message).wishes} == expected


@pytest.mark.parametrize("message", NO_WISHES)
def test_what_only_looks_like_a_wish_is_none(message: str) -> None:
    heard = hear(message)
    assert heard.wishes == () and heard.question == message


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("Please answer in German: how long is the warranty?", "how long is the warranty?"),
        ("How long is the warranty? Please answer shortly.", "How long is the warranty?"),
        ("Call me Ada. When do you open, and when do you close?", "When do you open, and when do you close?"),
        ("Just this once, answer briefly: who is the CEO?", "who is the CEO?"),
        ("Tell me briefly what the fee is", "what the fee is"),
        ("Could you please call me Ada?", ""),
    ],
)
def test_the_question_is_left_without_the_wishes(message: str, question: str) -> None:
    assert hear(message).question == question
    assert question_of(message) == (question or message)


@pytest.mark.parametrize(
    ("message", "lasting", "confidence"),
    [
        ("Answer briefly.", True, 0.8),
        ("Always answer briefly.", True, 0.95),
        ("This time answer briefly.", False, 0.5),
        ("Tell me briefly what the fee is", False, 0.5),
        ("Explain the refund policy in detail", False, 0.5),
        ("When does it open, in German please?", False, 0.5),
    ],
)
def test_a_wish_lasts_unless_it_is_for_one_answer(message: str, lasting: bool, confidence: float) -> None:
    (wish,) = hear(message).wishes
    assert (wish.lasting, wish.confidence) == (lasting, confidence)


def test_a_long_text_is_talked_about_and_not_obeyed() -> None:
    assert hear("Call me Ada. " + "x" * MAX_READ_CHARS).wishes == ()


def test_an_acknowledgement_says_what_is_kept() -> None:
    wishes = hear("Call me Ada, answer in German and keep it short").wishes
    said = acknowledgement(wishes, kept=True)
    assert said.startswith("All right: I'll") and "call you Ada" in said and "short" in said and "de" in said
    assert "may not remember it" in acknowledgement(wishes, kept=False)


@pytest.mark.parametrize("unit", [" ", "please ", "and ", "call me ", "A ", "in detail ", '"', "from now on ", ".. "])
def test_reading_takes_no_longer_for_hostile_messages(unit: str) -> None:
    started = time.process_time()
    hear("answer briefly " + (unit * MAX_READ_CHARS)[: MAX_READ_CHARS - 20] + "x")
    assert time.process_time() - started < 0.5
