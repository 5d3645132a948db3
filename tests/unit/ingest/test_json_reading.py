"""JSON reads by itself: every value beside its name, under the names it stands in."""

import json

import pytest

from pipelines.ingest.elements import Element, Kind
from pipelines.ingest.extract import extract
from schemas.errors.files import Damaged


def elements(value: object) -> list[Element]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return list(extract(data, "json", "a.json").elements)


def test_nested_objects_are_headings_over_their_values() -> None:
    found = elements({"shop": {"name": "Larkfield", "open": {"sunday": "10-14"}, "tags": ["bikes", "tours"]}})
    assert [(e.kind, e.text, e.level) for e in found] == [
        (Kind.TITLE, "shop", 1), (Kind.TEXT, "name: Larkfield\ntags: bikes, tours", None),
        (Kind.TITLE, "open", 2), (Kind.TEXT, "sunday: 10-14", None),
    ]  # fmt: skip


def test_lists_of_like_records_are_tables() -> None:
    found = elements({"bikes": [{"model": "City", "eur": 14}, {"model": "Cargo", "eur": 38.50, "new": True}]})
    assert found[1].rows == (("model", "eur", "new"), ("City", "14", ""), ("Cargo", "38.5", "true"))


def test_records_that_are_nested_or_long_are_texts_of_their_own() -> None:
    found = elements(
        [{"id": 1, "rider": {"name": "Ann", "legs": [{"km": 5}, {"km": 7}]}}, {"id": 2, "rider": {"name": "Bo"}}]
    )
    assert [e.text for e in found] == [
        "id: 1\nrider.name: Ann\nrider.legs.km: 5\nrider.legs.km: 7",
        "id: 2\nrider.name: Bo",
    ]
    assert len(elements([{"a": 1, "t": "x" * 300}, {"a": 2, "t": "y"}])) == 2


def test_numbers_keep_their_spelling_however_long() -> None:
    digits = "9" * 5000
    assert (
        elements(f'{{"n": {digits}, "price": 1.10, "e": 1E5}}'.encode())[0].text == f"n: {digits}\nprice: 1.10\ne: 1E5"
    )


def test_a_value_on_each_line_is_a_list() -> None:
    assert elements(b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n')[0].rows == (("a", "b"), ("1", "2"), ("3", "4"))


def test_the_title_is_the_objects_own() -> None:
    assert extract(b'{"title": "Price list", "x": 1}', "json", "a.json").title == "Price list"


@pytest.mark.parametrize("data", [b"NaN", b'{"a": Infinity}', b"{'a': 1}", b'{"a": 1', b"", b'{"a": 1} trailing'])
def test_what_is_not_json_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged):
        extract(data, "json", "a.json")


def test_scalars_and_empty_things_are_read() -> None:
    assert [e.text for e in elements("just words")] == ["just words"]
    assert elements({"a": None, "b": [], "c": {}}) == [
        Element("b", Kind.TITLE, level=1), Element("c", Kind.TITLE, level=1),
    ]  # fmt: skip
