"""Which Node builds the web application."""

from pathlib import Path

import pytest

from deploy import node


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is all of PATH, on a machine whose .venv has no Node."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node, "find_spec", lambda _: None)
    return tmp_path


def install(machine: Path, version: str) -> None:
    for name, says in (("node", version), ("npm", "11.0.0")):
        (machine / name).write_text(f"#!/bin/sh\necho {says}\n")
        (machine / name).chmod(0o755)


@pytest.mark.parametrize(
    ("version", "is_taken"), [("v24.1.0", True), ("v22.22.0", True), ("v22.9.0", False), ("v20.20.2", False)]
)
def test_the_machines_own_node_is_taken_where_it_is_new_enough(machine: Path, version: str, is_taken: bool) -> None:
    install(machine, version)
    assert node.npm() == ((str(machine / "npm"),) if is_taken else ())
    assert node.node() == (str(machine / "node") if is_taken else None)


def test_a_machine_without_node_is_told_how_to_get_one(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert node.run("run", "build") == 1
    assert "make web" in capsys.readouterr().out
