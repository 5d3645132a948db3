"""The local stack: `python -m deploy.local run|demo|services|stop|clean`.

`run` starts what no URL is given for (Postgres, Valkey), migrates, starts the Procfile, waits until
all is ready and serves until Ctrl-C. `demo` shows the whole product on it. `services` starts only
the servers. `stop` ends a running stack from another terminal; `clean` also deletes what it kept.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pydantic import SecretStr

from deploy import claim
from deploy.places import REPO, Places, full_disk, places, secret, write_private
from deploy.ports import next_free, require_web_port
from deploy.postgres import remove
from deploy.processes import environment
from deploy.readiness import address, missing
from deploy.services import START_WITHIN_S, Servers, answers, choose, index_url, prepared
from deploy.supervisor import Supervisor, procfile
from deploy.terminal import Terminal, awaited
from pipelines.providers import weights
from schemas.errors.requests import NotOffered
from schemas.errors.work import CannotStart
from schemas.refusals import refuse_unsafe_start
from schemas.settings import Settings

READY_WITHIN_S = 300
HOPELESS = 5
"""Deaths in a row after which a start is given up."""


def main() -> int:
    """Run the command and return its exit code."""
    arguments = _arguments()
    terminal = Terminal(arguments.verbose)
    try:
        settings = Settings()
        where = places(settings.data_dir)
        if arguments.command in ("stop", "clean"):
            _stop(where, terminal)
            return _clean(where, terminal) if arguments.command == "clean" else 0
        with claim.claimed(where, terminal.say):
            return _serve(arguments, settings, where, terminal)
    except (CannotStart, NotOffered) as error:
        terminal.waiting("")
        terminal.say(f"AURA cannot start. {error.detail}")
        return 1
    except KeyboardInterrupt:
        terminal.waiting("")
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=("run", "demo", "services", "stop", "clean"))
    parser.add_argument("--leave", action="store_true", help="end after the demo instead of serving on")
    parser.add_argument("--verbose", action="store_true", help="show every log line, not only warnings")
    return parser.parse_args()


def _serve(arguments: argparse.Namespace, settings: Settings, where: Places, terminal: Terminal) -> int:
    """Start the stack, do what the command asks, stop the stack; return the exit code."""
    began = time.monotonic()
    whole = arguments.command != "services"
    if whole:
        secret_keys = tuple(map(SecretStr, _secret_keys(settings, where)))
        refuse_unsafe_start(settings.model_copy(update={"secret_keys": secret_keys}))
        require_web_port(settings.port, settings.host)
    terminal.skip(where.logs)
    code = 0
    with Supervisor(where, terminal.say) as supervisor, ThreadPoolExecutor(1) as beside:
        checked = beside.submit(weights.verify_all, where.models) if whole else None
        told, for_upkeep = _start_servers(supervisor, settings, where, terminal)
        at = address(settings)
        if checked is not None:
            terminal.waiting("the model weights to be checked")
            checked.result()
            told = _start_processes(supervisor, told, for_upkeep, settings, where, terminal)
            claim.note(where, at)
            _await(supervisor, lambda: missing(at), READY_WITHIN_S, where, terminal)
        terminal.say(f"Ready after {time.monotonic() - began:.1f} s.")
        if arguments.command == "demo":
            code = _demo(supervisor, told, where)
        if not (arguments.command == "demo" and arguments.leave):
            _say_addresses(terminal, told, at if whole else "", where)
            while not supervisor.stopping:
                supervisor.tick(0.5)
                _look(where, terminal)
        terminal.say("Stopping …")
    terminal.say("Everything is stopped.")
    return code


def _start_servers(
    supervisor: Supervisor, settings: Settings, where: Places, terminal: Terminal
) -> tuple[dict[str, str], dict[str, str]]:
    """Start the servers that no URL names and make the database ready.

    Return the settings that lead there, and those that none but upkeep is told.
    """
    servers = choose(where, settings)
    supervisor.start(*servers.programs)
    _await(supervisor, lambda: _unanswered(servers), START_WITHIN_S, where, terminal)
    terminal.waiting("the database to be prepared")
    told = {
        "AURA_DATABASE_URL": prepared(servers),
        "AURA_REDIS_URL": servers.redis_url,
        "AURA_SECRET_KEYS": ",".join(_secret_keys(settings, where)),
        "AURA_HOST": settings.host,
        "AURA_PORT": str(settings.port),
        "AURA_SINGLE_TENANT": str(int(settings.single_tenant)),
        "AURA_PUBLIC_URL": settings.public_url,
        "AURA_BASE_DOMAIN": settings.base_domain,
    }
    _tell(where, told)
    return told, {"AURA_DATABASE_INDEX_URL": index_url(servers, told["AURA_DATABASE_URL"], settings)}


def _secret_keys(settings: Settings, where: Places) -> list[str]:
    """Return the deployment's secrets, one made up for this data folder where none is set."""
    given = [secret_key.get_secret_value() for secret_key in settings.secret_keys]
    return given or [secret(where, "deployment")[0]]


def _start_processes(
    supervisor: Supervisor,
    told: Mapping[str, str],
    for_upkeep: Mapping[str, str],
    settings: Settings,
    where: Places,
    terminal: Terminal,
) -> dict[str, str]:
    """Start the Procfile and return the settings it was started with."""
    flower_port = next_free(settings.flower_port)
    if flower_port != settings.flower_port:
        terminal.say(f"Port {settings.flower_port} is in use; Flower takes {flower_port} (AURA_FLOWER_PORT).")
    told = {**told, "AURA_FLOWER_PORT": str(flower_port)}
    _tell(where, told)
    given = {**told, "AURA_DATA_DIR": str(where.data_dir)}
    for program in procfile(REPO / "Procfile"):
        supervisor.start(replace(program, env=given | (for_upkeep if program.name == "upkeep" else {})))
    return told


def _tell(where: Places, told: Mapping[str, str]) -> None:
    """Write the settings down for commands in other terminals."""
    write_private(where.runtime_env, "".join(f"{name}='{value}'\n" for name, value in told.items()))


def _unanswered(servers: Servers) -> tuple[str, ...]:
    there, why = answers(servers)
    return () if there else (why,)


def _await(
    supervisor: Supervisor, left: Callable[[], tuple[str, ...]], within_s: float, where: Places, terminal: Terminal
) -> None:
    """Keep the stack running until nothing is `left` to wait for. Raises CannotStart, or
    KeyboardInterrupt where it is to stop.
    """
    deadline = time.monotonic() + within_s
    while waiting := left():
        terminal.waiting(*awaited(waiting))
        supervisor.tick(0.1)
        _look(where, terminal)
        if supervisor.stopping:
            raise KeyboardInterrupt
        for hopeless in supervisor.looping(HOPELESS):
            raise CannotStart(f"{hopeless.program.name} ends whenever it is started ({hopeless.log}).")
        if time.monotonic() > deadline:
            raise CannotStart(
                f"After {within_s:.0f} s this is still missing: {', '.join(waiting)}. "
                f"The logs are in {where.logs}; `flask --app api doctor` says more."
            )
    terminal.waiting("")


def _look(where: Places, terminal: Terminal) -> None:
    """Show what the programs warn of, and first what may be why."""
    terminal.standing(full_disk(where.data_dir))
    terminal.echo(where.logs)


def _demo(supervisor: Supervisor, told: Mapping[str, str], where: Places) -> int:
    """Run the demo beside the stack and return its exit code."""
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.demo"], cwd=REPO, env=environment(where, told), stdin=subprocess.DEVNULL
    ) as demo:
        while demo.poll() is None:
            supervisor.tick(0.5)
            if supervisor.stopping:
                demo.send_signal(signal.SIGTERM)
        return demo.returncode


def _say_addresses(terminal: Terminal, told: Mapping[str, str], at: str, where: Places) -> None:
    if at:
        terminal.say(f"\n  App     {at}\n  API     {at}/docs\n  Flower  http://127.0.0.1:{told['AURA_FLOWER_PORT']}")
    terminal.say(f"  Logs    {where.logs}\n\nCtrl-C stops everything.")


def _stop(where: Places, terminal: Terminal) -> None:
    """End the stack of this data folder, wherever it was started, and whatever a killed one left."""
    state = claim.read(where)
    launcher = state.process() if state else None
    if launcher is not None:
        launcher.terminate()
        if not claim.gone(launcher, within_s=45):
            launcher.kill()
    left = claim.end_leftovers(where)
    where.state.unlink(missing_ok=True)
    where.runtime_env.unlink(missing_ok=True)
    terminal.say("AURA is stopped." if launcher or left else "AURA was not running.")


def _clean(where: Places, terminal: Terminal) -> int:
    """Delete what a stopped stack kept: database, documents, models, logs."""
    remove(where)
    shutil.rmtree(where.data_dir, ignore_errors=True)
    terminal.say(f"{where.data_dir} and its database are deleted.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
