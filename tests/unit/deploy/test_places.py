"""The data folder is looked at before anything is started in it."""

import os
from pathlib import Path

import pytest

from deploy.places import places
from schemas.errors.work import CannotStart


@pytest.mark.parametrize("unwritable", ["", "logs", "valkey"])
def test_a_folder_that_may_not_be_written_is_said_in_a_sentence(
    unwritable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places(tmp_path)
    # Root may write everywhere but on a disk that is read-only, which a test cannot make everywhere.
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / unwritable and access(path, mode))

    with pytest.raises(CannotStart, match="AURA_DATA_DIR"):
        places(tmp_path)


def test_a_folder_that_can_not_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CannotStart, match="Not a directory"):
        places(tmp_path / "file" / "data")
