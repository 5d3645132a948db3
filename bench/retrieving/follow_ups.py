"""Questions that lean on the one before: the house of the handbooks was named in that one, and only there."""

from bench.retrieving.handbooks import HOUSES, make
from bench.retrieving.kinds import Set, Wanted
from pipelines.ports.models import Said
from pipelines.turn.finding.rewrite import standalone

ASKED = {
    "Arrival": "And when can I come?",
    "Cancellation": "What does it cost to cancel there?",
    "Animals": "and what about dogs?",
    "Parking": "How about parking?",
    "Food": "Do they serve food?",
    "Internet": "Is it online, and how do I get the password?",
    "Complaints": "And who takes complaints?",
    "Payment": "How do I pay them?",
}


def as_asked() -> Set:
    """Return the questions as they are."""
    return _set("follow-ups, as asked", rewritten=False)


def made_whole() -> Set:
    """Return the questions as the rules write them."""
    return _set("follow-ups, made whole", rewritten=True)


def _set(name: str, rewritten: bool) -> Set:
    questions = []
    for filename, (_, sections) in HOUSES.items():
        before = list(sections)
        for number, (heading, (text, _)) in enumerate(sections.items()):
            _, earlier = sections[before[number - 1]]
            said = (Said("user", earlier), Said("assistant", f"{sections[before[number - 1]][0]} [1]"))
            asked = ASKED[heading]
            whole = standalone(asked, said) if rewritten else None
            questions.append(Wanted(whole or asked, filename, words=text, own=asked if whole else ""))
    return Set(name, make().sources, questions)
