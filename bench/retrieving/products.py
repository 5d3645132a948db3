"""Product sheets whose names and codes differ by a letter or a figure, asked for by code or by what they are."""

import random

from bench.retrieving.kinds import Set, Wanted, headed

KINDS = ("cordless drill", "circular saw", "orbital sander", "heat gun", "angle grinder", "jigsaw", "rotary hammer")


def make(each: int = 12) -> Set:
    """Return `each` sheets of every kind of tool, and a question about each."""
    chosen = random.Random(11)
    sources, questions = [], []
    for kind in KINDS:
        initials = "".join(word[0] for word in kind.split()).upper()
        for number in chosen.sample(range(100, 400), each):
            code = f"{initials}-{number}{chosen.choice('ABE')}"
            watts, grams, months = (
                chosen.randrange(30, 150) * 10,
                chosen.randrange(9, 60) * 100,
                chosen.choice((12, 24)),
            )
            price, noise = f"{chosen.randrange(40, 400)}.90 euros", chosen.randrange(70, 105)
            name = f"sheet-{code.lower()}.pdf"
            sections = [
                ("Overview", f"The {kind} {code} is made for workshops and building sites. It costs {price}."),
                ("Technical data", f"Power {watts} W, weight {grams} g, sound level {noise} dB, protection class II."),
                ("Guarantee", f"The guarantee is {months} months from the day of purchase. Keep the receipt."),
                ("Care", "Unplug the tool before you clean it. Wipe it with a dry cloth and never use solvents."),
            ]
            sources.append(headed(name, f"{kind.title()} {code}", sections))
            asked = chosen.choice(
                (
                    (f"How much does the {code} cost?", price),
                    (f"How heavy is the {kind} {code}?", f"{grams} g"),
                    (f"How loud does {code} get?", f"{noise} dB"),
                    (f"How long is the guarantee of {code}?", f"{months} months"),
                )
            )
            questions.append(Wanted(asked[0], name, words=asked[1]))
    return Set("product sheets", sources, questions)
