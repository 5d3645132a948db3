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


def test_a_fact_in_the_last_words_of_a_full_chunk_is_found_by_its_vector(tmp_path: Path) -> None:
    model = MiniLM(tmp_path)
    filler = list(texts(len(FACTS), 320, seed=3))
    chunks = [f"{body} {fact}" for body, fact in zip(filler, FACTS, strict=True)]
    assert min(map(count, chunks)) > 400
    vectors, asked = model.embed(chunks), model.embed(list(FACTS.values()))
    assert list(np.argmax(asked @ vectors.T, axis=1)) == list(range(len(FACTS)))
