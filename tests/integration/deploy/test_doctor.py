"""The doctor looks at everything, whether it runs or not, and says how to mend what is missing."""

import socket
from pathlib import Path

import redis

from celeryconfig import QUEUES
from deploy.doctor import Finding, examine
from deploy.places import free_port
from schemas.settings import Settings


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(settings)}


def nothing(tmp_path: Path, **told: object) -> Settings:
    """Return the settings of a machine on which nothing runs."""
    settings = {"data_dir": tmp_path, "port": free_port(), "database_url": "", "redis_url": "", **told}
    return Settings(**settings, _env_file=None)  # type: ignore[arg-type]


def test_where_nothing_runs_it_says_how_to_start(tmp_path: Path) -> None:
    findings = found(nothing(tmp_path))

    for name in ("Postgres", "Redis", "Web"):
        assert not findings[name].ok
        assert "make run" in findings[name].mend
    assert findings["Python"].ok
    assert findings["Packages"].ok, findings["Packages"].what
    assert findings["Model weights"].ok, findings["Model weights"].what


def test_servers_without_workers(servers: tuple[str, str, str], tmp_path: Path) -> None:
    client = redis.Redis.from_url(servers[2])
    for told in client.scan_iter("aura:worker:*"):
        client.delete(told)  # Workers of another test that have just ended.
    findings = found(nothing(tmp_path, database_url=servers[1], redis_url=servers[2]))

    assert all(findings[name].ok for name in ("Postgres", "Database role", "pgvector", "Schema", "Redis"))
    assert [name for name in QUEUES if findings[f"Queue {name}"].ok] == []


def test_a_role_that_policies_do_not_bind_is_a_fault(servers: tuple[str, str, str], tmp_path: Path) -> None:
    admin_url = servers[0].rpartition("/")[0] + "/aura"

    role = found(nothing(tmp_path, database_url=admin_url, redis_url=servers[2]))["Database role"]

    assert (role.ok, role.needed) == (False, True)


def test_a_server_that_does_not_answer_is_a_finding_not_an_error(tmp_path: Path) -> None:
    gone = f"127.0.0.1:{free_port()}"

    findings = found(nothing(tmp_path, database_url=f"postgresql://a:b@{gone}/c", redis_url=f"redis://{gone}"))

    assert not findings["Postgres"].ok
    assert not findings["Redis"].ok


def test_a_port_that_another_program_has_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web = found(nothing(tmp_path, port=taken.getsockname()[1]))["Web"]

    assert "another program has port" in web.what
    assert "AURA_PORT" in web.mend


def test_a_provider_without_a_key_is_not_offered_and_not_needed(tmp_path: Path) -> None:
    openai = found(nothing(tmp_path, openai_api_key=None))["chat: openai"]

    assert (openai.ok, openai.needed) == (False, False)
    assert "OPENAI_API_KEY" in openai.mend
