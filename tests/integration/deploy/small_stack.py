"""A launcher as `deploy.local` is one, of any Procfile: `small_stack.py DATA_DIR PROCFILE [--postgres] [--patient]`.

A patient one never kills what it has asked to end.
"""

import sys
from dataclasses import replace
from pathlib import Path

from deploy.claim import claimed
from deploy.places import free_port, places
from deploy.postgres import postgres
from deploy.supervisor import Supervisor, procfile
from schemas.errors.work import CannotStart


def say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def main(data_dir: str, processes: str, *options: str) -> None:
    where = places(Path(data_dir))
    try:
        with claimed(where, say), Supervisor(where, say) as supervisor:
            if "--postgres" in options:
                program, url = postgres(where, free_port(), durable=False)
                supervisor.start(program)
                say(f"postgres at {url}")
            programs = procfile(Path(processes))
            if "--patient" in options:
                programs = tuple(replace(program, stop_within_s=3600) for program in programs)
            supervisor.start(*programs)
            say("started")
            while not supervisor.stopping:
                supervisor.tick(5)
    except CannotStart as error:
        say(error.detail)
        sys.exit(1)


main(*sys.argv[1:])
