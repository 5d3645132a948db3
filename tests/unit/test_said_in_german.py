"""What the web application says of errors in other languages than the API's own."""

import re
from pathlib import Path

import schemas.errors
from schemas.errors.tree import AuraError

GERMAN = Path("web/src/i18n/de/problems.ts")


def test_every_error_has_a_german_sentence() -> None:
    said = dict(re.findall(r'^  (\w+): "(.+)",$', GERMAN.read_text(encoding="utf-8"), re.MULTILINE))
    modules = {kind.__name__ for kind in schemas.errors.KINDS}
    codes = {kind.code for kind in _kinds(AuraError) if kind.__module__ in modules}
    assert codes == set(said)
    assert all(sentence for sentence in said.values())


def _kinds(kind: type[AuraError]) -> list[type[AuraError]]:
    return [kind, *(one for child in kind.__subclasses__() for one in _kinds(child))]
