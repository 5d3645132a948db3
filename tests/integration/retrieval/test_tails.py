"""What stands in the last words of a long chunk is found, though the model reads half of it at once."""

from pathlib import Path

import numpy as np

from bench.words import texts
from pipelines.ingest.tokens import count
from pipelines.providers.local.minilm import MiniLM

FACTS = {
    "The lighthouse keeper feeds eleven penguins every morning.": "How many penguins are fed at the lighthouse?",
    "Marble for the cathedral floor came from Carrara by ship.": "Where was the stone of the cathedral floor quarried?",
    "The vaccine must be stored at minus seventy degrees.": "At what temperature is the vaccine kept?",
    "Violin strings were made of sheep gut until the last century.": "What were violin strings made from?",
    "The submarine can dive to four thousand metres.": "How deep does the submarine go?",
    "Saffron is picked by hand before sunrise in October.": "When is saffron harvested?",
}


def test_a_fact_in_the_last_words_of_a_full_chunk_counts_in_its_vector(tmp_path: Path) -> None:
    model = MiniLM(tmp_path)
    filler = list(texts(len(FACTS), 320, seed=3))
    chunks = [f"{body} {fact}" for body, fact in zip(filler, FACTS, strict=True)]
    assert min(map(count, chunks)) > 400
    asked, with_fact, without = (model.embed(found) for found in (list(FACTS.values()), chunks, filler))
    own = np.arange(len(FACTS))
    near = asked @ with_fact.T
    assert np.all(near[own, own] > (asked @ without.T)[own, own] + 0.03)
    found_first = np.argmax(near, axis=1) == own
    # Words at random around a fact are harder than any text; one of six may be second.
    assert found_first.sum() >= len(FACTS) - 1
    assert np.all((near > near[own, own][:, None]).sum(axis=1) <= 1)
