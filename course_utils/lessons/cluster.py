"""Several Python processes on this machine that work together, as the machines of a cluster do.

``run(function, workers=2)`` starts fresh processes, gives each its place in ``TF_CONFIG`` (what TensorFlow's
multi-worker strategies read), waits, and returns what they returned. If one dies, the others are stopped and the
error says what it said last: nothing hangs, and no process is left behind.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from course_utils import paths

_LOOK = 0.05  # seconds between two looks at the workers
_LAST_WORDS = 600  # characters of a dead worker's messages that are shown
_PORT_TAKEN = ("already in use", "could not start grpc server")

_MAIN = """
if __name__ == "__main__":
    import json, sys
    with open(sys.argv[2], encoding="utf-8") as _file:
        _given = json.load(_file)
    _result = {name}(int(sys.argv[1]), **_given)
    with open(sys.argv[3], "w", encoding="utf-8") as _file:
        json.dump(_result, _file)
"""


class WorkerError(RuntimeError):
    """A worker died, or the workers did not finish in time; all of them are stopped."""


def run(function: Callable, workers: int = 2, seconds: float = 120.0, ports: Sequence[int] | None = None, **given):
    """Run ``function(rank, **given)`` in several fresh processes at once.

    The function's source is written to a file and run there, so it imports what it needs inside itself and uses
    nothing that was defined outside.

    Args:
        function: a plain function, defined in a notebook or a file; returns what JSON can hold.
        workers: how many processes; ``rank`` is 0 for the first.
        seconds: how long they may take together, the start of Python included.
        ports: one port on this machine for each worker; if left out, free ones are taken.
        given: further arguments, the same for all; what JSON can hold.

    Returns:
        A list: what each worker returned, in the order of the ranks.

    Raises:
        ValueError: fewer than one worker, or another number of ports.
        TypeError: an argument that JSON cannot hold.
        OSError: a port is in use by another program.
        WorkerError: a worker died, or time ran out.
    """
    if workers < 1:
        raise ValueError(f"A cluster needs at least one worker, not {workers}.")
    program = textwrap.dedent(inspect.getsource(function)) + _MAIN.format(name=function.__name__)
    if ports is not None:
        if len(ports) != workers:
            raise ValueError(f"{workers} workers need {workers} ports; given: {list(ports)}.")
        for port in ports:
            _require_free(port)
        return _run_once(program, list(ports), seconds, given)
    for _ in range(2):  # between looking for a free port and using it, another program may take it
        with contextlib.suppress(_PortTaken):
            return _run_once(program, _free_ports(workers), seconds, given)
    return _run_once(program, _free_ports(workers), seconds, given)


class _PortTaken(WorkerError):
    pass


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise OSError(
                f"Port {port} is in use by another program. Name another one, or leave `ports` out: then free ones "
                "are taken."
            ) from None


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _run_once(program: str, ports: list[int], seconds: float, given: dict) -> list:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "worker.py").write_text(program, encoding="utf-8")
        (place / "given.json").write_text(json.dumps(given), encoding="utf-8")
        processes = []
        try:
            for rank in range(len(ports)):
                processes.append(_start(place, rank, ports))
            _wait(processes, place, time.monotonic() + seconds, seconds)
        finally:
            _stop(processes)
        return [json.loads((place / f"result{rank}.json").read_text(encoding="utf-8")) for rank in range(len(ports))]


def _start(place: Path, rank: int, ports: list[int]) -> subprocess.Popen:
    addresses = [f"127.0.0.1:{port}" for port in ports]
    config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
    before = os.environ.get("PYTHONPATH")
    environment = os.environ | {
        "TF_CONFIG": json.dumps(config),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "no_proxy": ",".join(filter(None, [os.environ.get("no_proxy"), "127.0.0.1"])),  # workers talk directly
        "PYTHONPATH": os.pathsep.join([str(paths.ROOT), *([before] if before else [])]),
    }
    command = [sys.executable, "worker.py", str(rank), "given.json", f"result{rank}.json"]
    with (place / f"said{rank}.txt").open("wb") as said:
        return subprocess.Popen(
            command, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )


def _wait(processes: list[subprocess.Popen], place: Path, deadline: float, seconds: float) -> None:
    """Until all have ended well; the first that has not, or the deadline, ends the waiting with an error."""
    while True:
        codes = [process.poll() for process in processes]
        dead = next((rank for rank, code in enumerate(codes) if code not in (None, 0)), None)
        if dead is not None:
            words = _last_words(place / f"said{dead}.txt")
            kind = _PortTaken if any(sign in words.lower() for sign in _PORT_TAKEN) else WorkerError
            others = "" if len(codes) == 1 else " The others were stopped."
            raise kind(f"Worker {dead} of {len(codes)} died (exit code {codes[dead]}).{others} It said last: {words}")
        if all(code == 0 for code in codes):
            return
        if time.monotonic() > deadline:
            late = [rank for rank, code in enumerate(codes) if code is None]
            words = _last_words(place / f"said{late[0]}.txt")
            raise WorkerError(
                f"After {seconds:g} s the workers {late} were still at work and were stopped. Allow more `seconds`, or "
                f"give them less to do. Worker {late[0]} said last: {words}"
            )
        time.sleep(_LOOK)


def _last_words(file: Path) -> str:
    """The end of what a worker said, without the indented lines of a traceback, which name places in files."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    words = " ".join(line for line in lines if line.strip() and not line.startswith((" ", "\t", "Traceback")))
    return words[-_LAST_WORDS:] or "nothing"


def _stop(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()
    for process in processes:
        process.wait()
