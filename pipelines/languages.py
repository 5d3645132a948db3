"""Which language a text is in, as the name of the Postgres configuration that stems it.

By function words, which no text of a few sentences is without, and by script where there are none: microseconds a
chunk, the same answer each time. Languages that Postgres has no stemmer for are `simple`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

SIMPLE, ENGLISH = "simple", "english"
READ_CHARS = 600
MIN_WORDS, MIN_SCORE, LEAD = 2, 0.8, 1.15
"""What a verdict needs: different function words, their weight, and how many times that of the next language it is."""

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

_WORDS = {
    "english": "the of and to in is that for it with as was on are be this by at from or which have an not were has you"
    " your our we they their will can if but more when what how who these there would been its than any",
    "german": "der die und das den von zu mit ist des im für nicht ein eine dem auf als auch sich werden an wird bei"
    " einer sie oder aus nach wie über zur zum einem einen sind es am war noch durch ihr ihre wenn kann wir ich haben",
    "french": "le la les de des et du en un une est que pour dans qui par sur au aux avec ne pas plus ce cette ses son"
    " il elle nous vous sont être ou où été leur à ces mais comme l'on d'un d'une c'est n'est qu'il",
    "spanish": "el la los las de que y en un una es por con para del se no al lo como más su sus este esta son pero"
    " fue está entre cuando sin sobre también hasta desde nos muy donde puede todos ha han o",
    "italian": "il lo la gli le di che e è un una per con del della dei delle nel nella non si da al alla sono come più"
    " anche questo questa ma ha dal dalla sul sulla degli nei essere o se tra stato",
    "portuguese": "o a os as de que e em um uma do da dos das no na nos nas para com não por se mais como ao à pelo"
    " pela são seu sua ou é foi ser está também até muito isso esta este você",
    "dutch": "de het een van en in is dat op te zijn met voor niet aan er om ook als bij door naar uit maar worden werd"
    " wordt heeft dit deze die kan of nog over hebben tot we wij u uw geen moet",
    "danish": "og i at det er en til af på der for den ikke med de som et har var fra kan ved om eller efter blev også"
    " skal være denne dette hvis når sig vi jeg mellem meget",
    "norwegian": "og i det er en til av på som for den ikke med de at et har var fra kan ved om eller etter ble også"
    " skal være denne dette hvis når seg vi jeg mellom mye hva",
    "swedish": "och i att det är en till av på som för den inte med de ett har var från kan vid om eller efter blev"
    " också ska vara denna detta när sig vi jag mellan mycket måste",
    "finnish": "ja on ei se että oli ovat kun hän joka mutta myös tai kuin sen ole niin jos ovat voi sekä jotka mukaan"
    " vain olla tämä tämän ennen jälkeen kanssa vuonna siitä olivat",
    "hungarian": "a az és hogy nem is egy van volt meg csak de ha már vagy mint ez azt be kell lehet ki el minden után"
    " között által amely vannak szerint még én mert ezt",
    "romanian": "și în de la a pe cu nu este că o un să din care pentru mai sunt al ale lui ce au prin fost dar după sau"
    " între până acest această fi ca se le",
    "turkish": "ve bir bu için ile de da olarak olan daha çok gibi en ne kadar sonra var veya değil ancak her mi tarafından"
    " göre olduğu ise ya şu hem ki yıl",
    "catalan": "el la els les de i que en un una és per amb del dels al no se més com són aquest aquesta seu seva també"
    " però va ser entre ha on o des fins molt",
    "indonesian": "yang dan di dari untuk dengan ini itu pada adalah tidak dalam akan ke oleh sebagai juga atau telah"
    " dapat bisa kami anda karena lebih ada saat harus serta",
    "lithuanian": "ir yra kad su iš į už bei ar tai kaip buvo nuo per apie jo jos bet po dėl arba šis ši labai gali",
    "irish": "an na agus ar is sa go do le bhí tá seo sin mar ag ach níl sé sí nó chun ón",
    "basque": "eta da ez bat du dira dute zen izan ere baina edo beste hau hori zuen ziren dela bere",
    "polish": "i w na z do się nie jest to że o jak za od po przez dla są oraz lub być który która które było ale czy",
    "czech": "a v na se je z do že s o k pro jako od po by byl jsou za ale nebo který která které při až má být není",
    "slovak": "a v na sa je z do že s o k pre ako od po by bol sú za ale alebo ktorý ktorá ktoré pri až má byť nie",
    "croatian": "i u je na se da su od za s koji koja koje nije kao iz o po ili bi biti ali što bio te",
    "vietnamese": "và của là có được cho không trong với các một những này đã để khi từ người về theo đến cũng tại ra",
    "estonian": "ja on ei et see oli kui ka mis või aga ning oma tema olid seda selle kes nii välja juures pärast",
    "latvian": "un ir ar no par uz ka kas tas kā bet vai tika pie pēc šis arī lai līdz viņš tiek var",
    "russian": "и в не на что с по как это для от из к он она они но у был была были его при или бы так же все есть"
    " также который которые только можно если мы вы",
    "ukrainian": "і в не на що з до як це для від та він вона вони але у був була були його при або би так є також який"
    " які тільки можна якщо ми ви й",
    "bulgarian": "и в не на че с по как това за от той тя те но е са беше който която които също само може ако ние се да"
    " ще след до при",
    "serbian": "и у је на се да су од за с који која које није као из о по или би бити али што био те",
    "arabic": "في من على إلى أن هذا هذه التي الذي كان كانت عن مع ما لا لم أو بين ذلك وقد كل بعد قبل هو هي وفي ومن",
    "persian": "در از به که این را با است برای آن یک بود های می شود خود تا بر هم نیز شده کرد",
    "urdu": "کے میں کی ہے اور سے کا کو پر نے کہ یہ اس ہیں ایک نہیں تھا بھی",
    "greek": "και το να του η της με που την για από είναι στο τα οι των σε ο τον ένα μια δεν ότι στην στη αυτό όπως ή",
    "hindi": "के में की है और से का को पर ने यह कि एक भी हैं था थी इस लिए नहीं तो जो वह अपने या कर",
    "nepali": "छ र को मा लाई ले हो थियो छन् गरेको गर्न भएको पनि यो तथा हुन्छ गर्ने",
    "tamil": "மற்றும் ஒரு இந்த என்று உள்ள இது அவர் அந்த என்ற ஆகும் இருந்து என",
    "armenian": "և է որ մեջ են իր այս համար նաև ու մի էր հետ որը էին ոչ",
    "hebrew": "של את על לא הוא היא עם זה כי גם אם או אל יש היה",
}
STEMMED = frozenset(
    "arabic armenian basque catalan danish dutch english finnish french german greek hindi hungarian indonesian irish"
    " italian lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil turkish".split()
)
"""Configurations that Postgres 15 and every later one has."""

SCRIPTS = (
    (re.compile("[\u0370-\u03ff\u1f00-\u1fff]"), "greek"),
    (re.compile("[\u0530-\u058f]"), "armenian"),
    (re.compile("[\u0b80-\u0bff]"), "tamil"),
    (re.compile("[\u0900-\u097f]"), "hindi"),
    (re.compile("[\u0600-\u06ff]"), "arabic"),
    (re.compile("[\u0400-\u04ff]"), "russian"),
    (
        re.compile(
            "[\u0590-\u05ff\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
        ),
        SIMPLE,
    ),
)


LETTER_OF = {"ñ": "spanish", "¿": "spanish", "¡": "spanish", "ß": "german", "ã": "portuguese", "õ": "portuguese"}
LETTER_OF |= dict.fromkeys("łżźćńśęą", "polish") | dict.fromkeys("őű", "hungarian") | dict.fromkeys("ğış", "turkish")
LETTER_OF |= dict.fromkeys("țșă", "romanian") | dict.fromkeys("řěů", "czech") | dict.fromkeys("ơưđạếộ", "vietnamese")
LETTER_OF |= dict.fromkeys("їєґі", "ukrainian") | dict.fromkeys("پچگ", "persian") | dict.fromkeys("ٹڈںے", "urdu")
LETTERS = frozenset(LETTER_OF)


def _votes() -> dict[str, tuple[tuple[str, float], ...]]:
    shared: dict[str, set[str]] = defaultdict(set)
    for language, words in _WORDS.items():
        for word in words.split():
            shared[word].add(language)
    # A word of three languages is a third of a proof for each.
    return {word: tuple((language, 1 / len(languages)) for language in languages) for word, languages in shared.items()}


VOTES = _votes()


def language_of(text: str, otherwise: str = "") -> str:
    """Return the configuration for the text, judged by its first 600 characters; `otherwise` where nothing tells."""
    scores: dict[str, float] = defaultdict(float)
    seen: dict[str, int] = defaultdict(int)
    read = text[:READ_CHARS].lower()
    for word in set(WORD.findall(read)):
        for language, vote in VOTES.get(word, NOBODY):
            scores[language] += vote
            seen[language] += 1
    if not read.isascii():
        for letter in LETTERS.intersection(read):
            scores[LETTER_OF[letter]] += 1
            seen[LETTER_OF[letter]] += 1
    (first, most), (_, next_most) = sorted([*scores.items(), ("", 0.0), ("", 0.0)], key=lambda item: -item[1])[:2]
    if seen[first] >= MIN_WORDS and most >= MIN_SCORE and most >= LEAD * next_most:
        return first if first in STEMMED else SIMPLE
    if text.isascii():
        return otherwise
    return _by_script(text[:READ_CHARS]) or otherwise


NOBODY: tuple[tuple[str, float], ...] = ()


def languages_of(texts: Iterable[str]) -> list[str]:
    """Return the configuration for each text of a document; where one does not tell, it is that of most others."""
    found = [language_of(text) for text in texts]
    told = [language for language in found if language]
    most = max(set(told), key=lambda language: (told.count(language), language)) if told else ENGLISH
    return [language or most for language in found]


def _by_script(text: str) -> str:
    """Return what the script tells, where a tenth of the text is in it."""
    for letters, language in SCRIPTS:
        if 10 * len(letters.findall(text)) >= len(text):
            return language
    return ""
