"""Languages are told by their small words, and a text that tells nothing is left to its document."""

import pytest

from pipelines.languages import STEMMED, VOTES, language_of, languages_of

TOLD = {
    "english": "Members of the club may bring a guest, but they have to register at the desk.",
    "german": "Die Mitglieder des Vereins dürfen einen Gast mitbringen, wenn sie sich anmelden.",
    "french": "Les membres du club peuvent venir avec un invité, à condition de prévenir.",
    "spanish": "Los socios del club pueden venir con un invitado si se registran en la entrada.",
    "italian": "I soci del club possono portare un ospite, ma devono registrarsi alla reception.",
    "portuguese": "Os sócios do clube podem trazer um convidado, mas não sem aviso na recepção.",
    "dutch": "De leden van de club mogen een gast meenemen, maar zij moeten zich aan de balie melden.",
    "swedish": "Medlemmar i klubben får ta med en gäst, men de måste anmäla sig till disken.",
    "finnish": "Kerhon jäsenet voivat tuoda vieraan, mutta se on ilmoitettava ja kirjattava.",
    "russian": "Члены клуба могут привести гостя, но они должны записаться у стойки, как и все.",
    "greek": "Τα μέλη της λέσχης μπορούν να φέρουν έναν επισκέπτη με την προϋπόθεση ότι δηλώνεται.",
    "arabic": "يمكن لأعضاء النادي إحضار ضيف على أن يتم تسجيله في مكتب الاستقبال من قبل.",
    "turkish": "Kulüp üyeleri bir misafir getirebilir ve bunun için kayıt olmaları gerekir.",
    "hindi": "क्लब के सदस्य एक अतिथि को ला सकते हैं लेकिन उसका नाम लिखना है।",
}


@pytest.mark.parametrize(("language", "text"), TOLD.items())
def test_a_sentence_tells_its_language(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "Członkowie klubu mogą przyprowadzić gościa, ale muszą się zgłosić do recepcji i to jest ważne.",
        "クラブの会員はゲストを連れて来ることができます。",
        "俱乐部会员可以带一位客人。",
        "สมาชิกสโมสรสามารถพาแขกมาได้",
        "Các thành viên của câu lạc bộ có thể đưa khách đến và đăng ký tại quầy.",
        "חברי המועדון רשאים להביא אורח, אבל הם חייבים להירשם.",
        "Члени клубу можуть привести гостя, але вони мають записатися, якщо це є можливим.",
    ],
)
def test_a_language_without_a_stemmer_is_simple(text: str) -> None:
    assert language_of(text) == "simple"


@pytest.mark.parametrize("text", ["orchid care", "Helmet 5 EUR", "", "1234", "🙂🙂"])
def test_what_tells_nothing_is_left_open(text: str) -> None:
    assert language_of(text) == ""
    assert language_of(text, otherwise="dutch") == "dutch"


def test_what_tells_nothing_goes_with_the_rest_of_its_document() -> None:
    german, english = TOLD["german"], TOLD["english"]
    assert languages_of([german, "Helm 5 EUR", german, english]) == ["german", "german", "german", "english"]
    assert languages_of(["Helmet 5 EUR"]) == ["english"]
    assert languages_of([]) == []


def test_every_stemmer_has_its_words() -> None:
    known = {language for votes in VOTES.values() for language, _ in votes}
    assert known >= STEMMED
