"""What the documents say must be so: generated files, links, paths, commands and the samples' facts."""

import json
import re
from pathlib import Path

import docx
import pypdfium2
import pytest
from markdown_it import MarkdownIt
from pydantic_settings import SettingsConfigDict

from docs import make_configuration
from schemas.settings import Settings

REPO = Path(__file__).resolve().parents[2]
DOCS = REPO / "docs"
PAGES = sorted([REPO / "README.md", REPO / "CHANGELOG.md", *DOCS.glob("*.md")])
SOURCES = sorted((DOCS / "sample_sources").glob("*.md"))
QUESTIONS = json.loads((REPO / "tests" / "acceptance" / "sample_questions.json").read_text())


class StrictSettings(Settings):
    """Settings that refuse a name they do not read."""

    model_config = SettingsConfigDict(extra="forbid", env_file=None)


def words(text: str) -> str:
    return " ".join(text.split())


def sample_text(name: str, page: int | None = None) -> str:
    """Return the text of a sample, or of one of its pages (from 1)."""
    path = DOCS / "samples" / name
    if path.suffix == ".pdf":
        document = pypdfium2.PdfDocument(path)
        chosen = range(len(document)) if page is None else [page - 1]
        return words(" ".join(document[i].get_textpage().get_text_bounded() for i in chosen))
    if path.suffix == ".docx":
        found = docx.Document(str(path))
        cells = [cell.text for table in found.tables for row in table.rows for cell in row.cells]
        return words(" ".join([*(paragraph.text for paragraph in found.paragraphs), *cells]))
    return words(path.read_text(encoding="utf-8"))


def test_configuration_page_is_current() -> None:
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == make_configuration.markdown(), (
        "run `python -m docs.make_configuration`"
    )


def test_every_setting_is_documented_once() -> None:
    found = [setting for settings in make_configuration.sections().values() for setting in settings]
    assert len(found) == len(Settings.model_fields)
    assert len({setting.name for setting in found}) == len(found)
    assert all(setting.description for setting in found)


def test_every_name_in_env_example_is_read_and_every_default_is_the_true_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", (REPO / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    for name in example:
        monkeypatch.delenv(name, raising=False)
    filled = tmp_path / "env"
    filled.write_text("\n".join(f"{name}={value or 'given'}" for name, value in example.items()), encoding="utf-8")
    # A name that no setting reads is refused by StrictSettings.
    read = StrictSettings(_env_file=filled).model_dump()  # type: ignore[call-arg]
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    differing = {name for name, value in defaults.items() if read[name] != value}
    assert differing == {name for name, value in defaults.items() if value in ("", None)}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    named = re.findall(r"`((?:api|workers|pipelines|schemas|tests|docs|deploy|migrations|bench)/[\w./-]*)`", text)
    missing += [path for path in named if not (REPO / path).exists()]
    assert not missing


def test_make_targets_exist() -> None:
    targets = re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    asked = {
        name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {"demo", "test"} <= asked <= set(targets)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_sample_files_say_what_their_sources_say(source: Path) -> None:
    [sample] = (DOCS / "samples").glob(f"{source.stem}.*")
    # Words that a line break of the PDF has cut apart would differ, so all spaces are left out.
    text = re.sub(r"\s", "", sample_text(sample.name))
    tokens = MarkdownIt().enable("table").parse(source.read_text(encoding="utf-8"))
    pieces = [token.content for token in tokens if token.type == "inline"]
    # A paragraph may run over a page's end, where the footer and the header stand between its sentences.
    sentences = [sentence for piece in pieces for sentence in re.split(r"(?<=[.;:!?])\s", piece)]
    assert len(pieces) > 10
    assert not [sentence for sentence in sentences if re.sub(r"\s", "", sentence) not in text]


@pytest.mark.parametrize("asked", [q for q in QUESTIONS if q["file"]], ids=lambda q: q["question"])
def test_the_expected_fact_stands_where_the_questions_say(asked: dict[str, object]) -> None:
    page = asked["page"]
    assert page is None or isinstance(page, int)
    text = sample_text(str(asked["file"]), page).lower()
    accepted = asked["expect_any"]
    assert isinstance(accepted, list)
    assert any(str(fact).lower() in text for fact in accepted)


def test_questions_cover_every_sample_and_some_that_have_no_answer() -> None:
    samples = {path.name for path in (DOCS / "samples").iterdir()}
    assert {q["file"] for q in QUESTIONS if q["file"]} == samples
    assert sum(q["file"] is None for q in QUESTIONS) >= 4
