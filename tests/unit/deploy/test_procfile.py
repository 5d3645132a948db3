"""The Procfile names a process for the front door, each queue, and what watches them."""

from celeryconfig import QUEUES
from deploy.places import REPO
from deploy.processes import SERVERS_RANK
from deploy.supervisor import procfile
from schemas.settings import Settings

BULK = {"express", "extract", "listen", "chunk", "embed", "store"}


def test_every_queue_has_a_process_and_bulk_work_is_niced() -> None:
    programs = {program.name: program for program in procfile(REPO / "Procfile")}

    consumed = {
        name: program.command[-1].partition("-Q ")[2].split(" ")[0].split(",") for name, program in programs.items()
    }
    assert programs.keys() == {"web", "beat", "flower", *(queues[0] for queues in consumed.values() if queues[0])}
    assert sorted(queue for queues in consumed.values() for queue in queues if queue) == sorted(QUEUES)
    niced = {name for name, program in programs.items() if "nice -n" in program.command[-1]}
    assert {name for name in niced if "nice -n 19" in programs[name].command[-1]} == BULK
    assert niced.isdisjoint({"web", "transcribe", "retrieve", "generate", "synthesize"}) and "partials" in niced


def test_the_front_door_stops_first_and_everything_before_the_servers() -> None:
    ranks = {program.name: program.rank for program in procfile(REPO / "Procfile")}

    assert min(ranks, key=lambda name: ranks[name]) == "web"
    assert max(ranks.values()) < SERVERS_RANK


def test_the_containers_run_the_same_processes() -> None:
    import yaml

    composed = yaml.safe_load((REPO / "docker-compose.yml").read_text())["services"]

    named = {program.name for program in procfile(REPO / "Procfile")}
    assert composed.keys() == named | {"postgres", "valkey", "migrate"}
    assert {name for name, service in composed.items() if service.get("cpu_shares", 1024) < 64} == BULK
    assert {name for name in named if composed[name]["command"] != ["honcho", "start", name]} == set()


def test_the_containers_are_told_nothing_that_is_no_setting() -> None:
    import yaml

    composed = yaml.safe_load((REPO / "docker-compose.yml").read_text())["services"]

    told = {name: set(service["environment"]) for name, service in composed.items() if service.get("image") == "aura"}
    known = {f"AURA_{name.upper()}" for name in Settings.model_fields}
    assert {name: settings - known for name, settings in told.items() if settings - known} == {}
    index = {name for name, settings in told.items() if "AURA_DATABASE_INDEX_URL" in settings}
    admin = {name for name, settings in told.items() if "AURA_DATABASE_ADMIN_URL" in settings}
    assert (index, admin) == ({"migrate", "upkeep"}, {"migrate"})
