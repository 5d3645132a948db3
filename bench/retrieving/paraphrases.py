"""Short answers asked for in other words: some share words with the question, some none at all, some the language."""

from bench.retrieving.kinds import Set, Wanted, plain

FAQ = (
    (
        "How do I reset my password? Choose “Forgotten” on the sign-in page and follow the link in the e-mail.",
        ("I can't log in any more, what now?", "My password no longer works, where do I get a new password?"),
        ("unable to enter my account", "Ich habe mein Passwort vergessen, was soll ich tun?"),
    ),
    (
        "Can I change the delivery address? Yes, until the parcel leaves our warehouse, under “My orders”.",
        ("I have moved, can the parcel go to my new home?", "How do I correct the delivery address of an order?"),
        ("ship to a different street", "¿Puedo cambiar la dirección de entrega?"),
    ),
    (
        "How long does shipping take? Two to four working days at home, up to ten abroad.",
        ("When will my things arrive?", "How many working days does shipping abroad take?"),
        ("waiting for my goods from overseas", "Combien de temps dure la livraison ?"),
    ),
    (
        "Which payment methods do you accept? Credit card, bank transfer and invoice for companies.",
        ("Can my firm pay by invoice?", "Do you accept bank transfer as payment?"),
        ("settling what I owe", "Quali metodi di pagamento accettate?"),
    ),
    (
        "How do I send something back? Print the return label within thirty days and bring the box to any post office.",
        ("I don't like it and want to return it.", "Where do I get a label for the return?"),
        ("goods unsuitable, give them to you again", "Wie schicke ich etwas zurück?"),
    ),
    (
        "What does the guarantee cover? Faults of material for two years, not wear, water or falls.",
        ("It broke when I dropped it, is that covered?", "How many years does the guarantee cover faults?"),
        ("a defect appeared after eighteen months", "Que couvre la garantie ?"),
    ),
    (
        "How do I close my account? Write to us; we erase your data within a month.",
        ("Please delete everything you know about me.", "I want to close the account, how?"),
        ("stop being your customer for good", "¿Cómo cierro mi cuenta?"),
    ),
    (
        "Do you have shops? Three: in Lyon, Ghent and Turin, open from ten to seven.",
        ("Where can I look at the goods in person?", "When are your shops open?"),
        ("visiting you in Belgium", "Habt ihr Läden in Italien?"),
    ),
    (
        "Is there a discount for students? Ten percent with a valid card.",
        ("I am at university, is it cheaper for me?", "What discount do students get?"),
        ("reduced rate while attending college", "Gibt es Rabatt für Studenten?"),
    ),
    (
        "How do I get an invoice? It is attached to the message that confirms the order.",
        ("I need a bill for my tax office.", "Where is the invoice of my order?"),
        ("paperwork for accounting", "Où est ma facture ?"),
    ),
    (
        "Can I order by telephone? Yes, on weekdays between eight and six, under the number below.",
        ("I would rather call than click.", "When can I order by telephone?"),
        ("talking to a person to buy", "Kann ich telefonisch bestellen?"),
    ),
    (
        "Are gift cards valid for ever? Three years from the end of the year in which they were bought.",
        ("Does my voucher expire?", "How many years are gift cards valid?"),
        ("present from my aunt, still usable?", "Wie lange sind Gutscheine gültig?"),
    ),
    (
        "Do you repair old devices? Yes, if parts are still made; an estimate costs fifteen euros.",
        ("My machine from years ago does not start, can you mend it?", "What does an estimate for a repair cost?"),
        ("fixing an antique appliance", "¿Reparan aparatos viejos?"),
    ),
    (
        "How is my data protected? It is encrypted, kept in Europe and never sold.",
        ("Do you sell my details to advertisers?", "In which part of the world is my data kept?"),
        ("privacy worries", "I miei dati sono al sicuro?"),
    ),
    (
        "What if a part is missing from the parcel? Tell us within a week with a photo, and we send it at once.",
        ("The box came incomplete.", "A part is missing from my parcel, what do I do?"),
        ("screws were not included", "Il manque une pièce dans le colis."),
    ),
    (
        "Can I subscribe to regular deliveries? Monthly or quarterly, and you may pause at any time.",
        ("I want the same coffee to come every month.", "Can I pause regular deliveries?"),
        ("automatic reordering", "Kann ich ein Abonnement pausieren?"),
    ),
    (
        "Is the packaging recyclable? All cardboard is; the film goes with household plastics.",
        ("Which bin does the wrapping go into?", "Is all the packaging recyclable?"),
        ("getting rid of the carton", "¿El embalaje es reciclable?"),
    ),
    (
        "May children use the product? From eight years on, with an adult beside them.",
        ("My daughter is six, is it safe for her?", "From how many years may children use the product?"),
        ("minimum age", "Ab welchem Alter dürfen Kinder das Gerät benutzen?"),
    ),
    (
        "How do I clean the machine? Rinse it with warm water and a spoon of citric acid once a month.",
        ("There is scale inside, how do I get it off?", "How often do I clean the machine?"),
        ("descaling", "Comment nettoyer la machine ?"),
    ),
    (
        "Do you ship batteries by air? No, devices with batteries travel by truck and take longer.",
        ("Why is my electric bike so slow to come?", "Do devices with batteries travel by truck?"),
        ("lithium cells on a plane", "Versendet ihr Akkus mit dem Flugzeug?"),
    ),
)


def faq() -> Set:
    """Return the answers, and two questions about each that share a word or so with it."""
    return _set("questions of customers", 1)


def without_keywords() -> Set:
    """Return the same answers, each asked for without its words."""
    return _set("no word in common", 2, slice(0, 1))


def other_languages() -> Set:
    """Return the same answers, each asked for in German, French, Italian or Spanish."""
    return _set("other languages", 2, slice(1, 2))


def _set(name: str, column: int, which: slice = slice(None)) -> Set:
    sources = [plain(f"faq-{number:02}.txt", str(entry[0])) for number, entry in enumerate(FAQ)]
    questions = [
        Wanted(question, f"faq-{number:02}.txt")
        for number, entry in enumerate(FAQ)
        for question in entry[column][which]
    ]
    return Set(name, sources, questions)
