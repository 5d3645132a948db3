"""Keeps the programs of one stack running, in one thread: what dies is started again, and stop ends all.

The owner calls `tick` as long as the stack is to live. Nothing here waits except `tick` and `stop`.
"""

import contextlib
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from honcho.environ import parse_procfile

from deploy.forking import Template, order_of
from deploy.places import Places
from deploy.processes import Program, Started, clear, die_with_parent, environment, fork, log_of, spawn, stop
from schemas.errors.work import CannotStart

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
STEADY_S = 30.0
"""A program that ran this long has recovered: its next death is a first one."""

LOOPING = 3
"""Deaths in a row after which the terminal shows what the program said."""

RANKS = {"web": 0, "beat": 2, "flower": 2}
"""Order of stopping: the front door, the workers (1, also where not named), then what watches them."""

WEB_GRACE_S, WORKER_GRACE_S = 5.0, 10.0


@dataclass
class Kept:
    """A program under watch. `due` is when it is to be started again, None while it runs."""

    program: Program
    started: Started
    since: float
    deaths: int = 0
    due: float | None = None


class Supervisor:
    """The programs of one stack. Use it as a context: it takes the signals, and its end stops everything."""

    def __init__(self, where: Places, say: Callable[[str], None]) -> None:
        self._where = where
        self._say = say
        self._kept: dict[str, Kept] = {}
        self._asked = 0
        self._template: Template | None = None
        self._unforkable = False

    @property
    def stopping(self) -> bool:
        """Return whether Ctrl-C or SIGTERM has asked for the end."""
        return self._asked > 0

    @property
    def started(self) -> list[Started]:
        return [kept.started for kept in self._kept.values()]

    def __enter__(self) -> "Supervisor":
        self._stack = contextlib.ExitStack()
        self._wake = self._stack.enter_context(_signals(self._ask))
        return self

    def __exit__(self, *_: object) -> None:
        with self._stack:
            self.stop()

    def start(self, *programs: Program) -> None:
        """Start `programs` and watch them: those first that need nobody to fork them."""
        for program in sorted(programs, key=lambda program: program.order is not None):
            self._kept[program.name] = Kept(program, self._begin(program), time.monotonic())

    def tick(self, within_s: float) -> None:
        """Wait up to `within_s`, less when a program dies or a signal comes; then start again what is due."""
        due = min((kept.due for kept in self._kept.values() if kept.due is not None), default=None)
        wait_s = within_s if due is None else max(0.0, min(within_s, due - time.monotonic()))
        # Of a forked worker the template hears, and says so.
        template = [self._template.channel] if self._template else []
        if self._wake in select.select([self._wake, *template], [], [], wait_s)[0]:
            self._wake.recv(4096)
        for kept in self._kept.values():
            if kept.due is None and kept.started.process.poll() is not None:
                self._bury(kept)
            if kept.due is not None and kept.due <= time.monotonic() and not self.stopping:
                kept.started, kept.since, kept.due = self._begin(kept.program), time.monotonic(), None

    def looping(self, deaths: int = LOOPING) -> list[Started]:
        """Return the programs that died `deaths` times in a row, or more, and are not steady yet."""
        unsteady = (kept for kept in self._kept.values() if time.monotonic() - kept.since < STEADY_S)
        return [kept.started for kept in unsteady if kept.deaths >= deaths]

    def stop(self) -> None:
        """End all programs in the order of their ranks. A second Ctrl-C meanwhile hurries it."""
        asked = self._asked
        stop(self.started, hurry=lambda: self._asked > max(asked, 1))
        self._kept.clear()
        self._drop_template()

    def _begin(self, program: Program) -> Started:
        """Start a program: a worker as a copy of the template, where there is one, and whatever else by itself."""
        if program.order is not None:
            env = environment(self._where, program.env)
            if self._template is None and not self._unforkable:
                with log_of("template", self._where).open("ab") as log:
                    self._template = Template(env, log.fileno(), die_with_parent(signal.SIGTERM))
            if self._template is not None and self._template.env.items() <= env.items():
                own = {name: value for name, value in env.items() if name not in self._template.env}
                program = replace(program, order=replace(program.order, env={**own, **program.order.env}))
                try:
                    return fork(program, self._template, self._where)
                except OSError as error:
                    self._say(f"Workers are started one by one: {error}")
                    self._unforkable = True
                    self._drop_template()
        return spawn(program, self._where)

    def _drop_template(self) -> None:
        if self._template is not None:
            self._template.close()
            self._template = None

    def _ask(self) -> None:
        self._asked += 1

    def _bury(self, kept: Kept) -> None:
        """Clear up after a program that died, and decide when it is started again."""
        said = kept.started.said()
        clear(kept.started)
        kept.deaths = 1 if time.monotonic() - kept.since > STEADY_S else kept.deaths + 1
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (kept.deaths - 1))
        kept.due = time.monotonic() + pause_s
        if self.stopping:
            return
        self._say(f"{kept.program.name} {_ending(kept.started.process.returncode)}; it is started again.")
        if kept.deaths == LOOPING:
            self._say(f"{kept.program.name} keeps ending. The last it said ({kept.started.log}):\n{said}")
        mended = kept.program.mend(said)
        if mended:
            self._say(mended)


def procfile(path: Path) -> tuple[Program, ...]:
    """Return the programs of a Procfile. Raises CannotStart where it has none."""
    processes = parse_procfile(path.read_text()).processes
    if not processes:
        raise CannotStart(f"{path} names no process.")
    return tuple(
        Program(
            name=name,
            # `exec`: the program itself leads its group, with no shell in between that a signal would end first.
            command=("/bin/sh", "-c", f"exec {command}"),
            rank=RANKS.get(name, 1),
            order=order_of(command),
            stop_within_s=WEB_GRACE_S if name == "web" else WORKER_GRACE_S,
        )
        for name, command in processes.items()
    )


def _ending(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


@contextlib.contextmanager
def _signals(ask: Callable[[], None]) -> Iterator[socket.socket]:
    """Yield a socket that becomes readable when a child dies or a signal asks for the end, which calls `ask`.

    A wake-up through a file descriptor: taking a lock inside a signal handler could deadlock.
    """
    ours, theirs = socket.socketpair()
    handlers = {
        signal.SIGINT: lambda *_: ask(),
        signal.SIGTERM: lambda *_: ask(),
        signal.SIGHUP: lambda *_: ask(),
        signal.SIGCHLD: lambda *_: None,
    }
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
            del handlers[signal.SIGHUP]  # Started with nohup: it outlives its terminal.
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        fd_before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        try:
            yield ours
        finally:
            signal.set_wakeup_fd(fd_before)
            for number, handler in before.items():
                signal.signal(number, handler)
