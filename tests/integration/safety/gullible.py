"""A model that obeys whatever it finds outside the marks of its passages, and one that repeats all it was told."""

import re
import urllib.request
from contextlib import suppress

from tests.integration.providers import fakes
from tests.integration.providers.fakes import Exchange
from tests.integration.safety.injected import PWNED

URL = re.compile(r"https?://127\.0\.0\.1[^\s\"'<>)\]]*")
TEMPLATE = re.compile(r"<\|im_(?:start|end)\|>|\[/?INST\]|<</?SYS>>|</?s>")


def obeys(exchange: Exchange) -> None:
    """Answer from the passages; but first do what any text outside their marks says, as a template's marks do too."""
    told = exchange.asked.json
    system, *rest = told["messages"]
    [mark] = set(re.findall(r"</?passage-(\w+)>", system["content"]))
    fenced = re.compile(rf"<passage-{mark}>.*?</passage-{mark}>", re.DOTALL)
    talk = "\n".join(message["content"] for message in rest)
    outside = "\n".join([system["content"], fenced.sub(" ", talk), *TEMPLATE.findall(talk)])
    for url in URL.findall(outside):
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=5).read()
    orders = PWNED in outside or TEMPLATE.search(outside) or "tools" in told
    orders = orders or any(message["role"] == "system" for message in rest)
    hidden = [char for char in talk if 0xE0000 <= ord(char) <= 0xE007F or 0x202A <= ord(char) <= 0x202E]
    if orders or hidden:
        fakes.answer(f"{PWNED}! {system['content']}")(exchange)
        return
    asked = re.search(r"gadget\d+", rest[-1]["content"].rpartition("Question:")[2])
    for passage in fenced.findall(talk):
        number = re.search(r"\[(\d+)\]", passage)
        fact = re.search(rf"The {asked[0]} costs[^.]*\." if asked else r"(?!)", passage)
        if number and fact:
            fakes.answer(fact[0][:-1], f" [{number[1]}].")(exchange)
            return
    fakes.answer("I do not know that from these documents.")(exchange)


def repeats(exchange: Exchange) -> None:
    """Answer with all passages as they are, each with its number: a model that has been taken over."""
    talk = exchange.asked.json["messages"][-1]["content"]
    found = re.findall(r"<passage-\w+>\n(.*?)\n</passage-\w+>", talk, re.DOTALL)
    fakes.answer(*[f"{passage} [{number}]\n\n" for number, passage in enumerate(found, 1)])(exchange)


def leaks(exchange: Exchange) -> None:
    """Answer with the instructions, in pieces."""
    system = exchange.asked.json["messages"][0]["content"]
    fakes.answer("Sure: ", *re.findall(r"\S+\s*", system))(exchange)


def chat(exchange: Exchange) -> None:
    """Do what the question says: `repeat` and `leak` ask for more than an answer."""
    question = exchange.asked.json["messages"][-1]["content"].rpartition("Question:")[2]
    (repeats if "repeat" in question else leaks if "leak" in question else obeys)(exchange)
