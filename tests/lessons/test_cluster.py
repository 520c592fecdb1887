"""Workers on this machine: what they return, and what happens if one dies, waits for ever or finds its port taken."""

import os
import socket
import time

import psutil
import pytest

from course_utils.lessons import cluster


def report(rank, add=0):
    import json
    import os

    config = json.loads(os.environ["TF_CONFIG"])
    return {"rank": rank, "index": config["task"]["index"], "workers": config["cluster"]["worker"], "sum": rank + add}


def die_or_wait(rank, folder, dead):
    import os
    import time
    from pathlib import Path

    Path(folder, f"{rank}.pid").write_text(str(os.getpid()))
    if rank == dead:
        while len(list(Path(folder).glob("*.pid"))) < 2:
            time.sleep(0.01)
        raise ValueError("no more bread")
    time.sleep(600)


def be_killed(rank):
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


def unfit_result(rank):
    return {1, 2}


def test_results_come_in_the_order_of_the_ranks():
    found = cluster.run(report, workers=3, add=10)
    assert [part["rank"] for part in found] == [part["index"] for part in found] == [0, 1, 2]
    assert [part["sum"] for part in found] == [10, 11, 12]
    assert len(set(found[0]["workers"])) == 3 and all(part["workers"] == found[0]["workers"] for part in found)
    (alone,) = cluster.run(report, workers=1)
    assert alone["sum"] == 0


@pytest.mark.parametrize("dead", [0, 1])
def test_one_that_dies_ends_all_with_its_last_words(dead, tmp_path):
    begin = time.monotonic()
    with pytest.raises(cluster.WorkerError, match=f"Worker {dead} of 2 died.*others were stopped.*no more bread"):
        cluster.run(die_or_wait, folder=str(tmp_path), dead=dead)
    assert time.monotonic() - begin < 30
    pids = [int(file.read_text()) for file in tmp_path.glob("*.pid")]
    assert len(pids) == 2 and not any(map(psutil.pid_exists, pids))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_one_that_is_killed_says_nothing_and_is_reported():
    with pytest.raises(cluster.WorkerError, match="Worker 0 of 1 died.*exit code -9.*nothing"):
        cluster.run(be_killed, workers=1)


def test_waiting_ends(tmp_path):
    with pytest.raises(cluster.WorkerError, match=r"After 1 s the workers \[0, 1\] were still at work"):
        cluster.run(die_or_wait, seconds=1, folder=str(tmp_path), dead=7)
    assert not any(psutil.pid_exists(int(file.read_text())) for file in tmp_path.glob("*.pid"))


def test_a_port_in_use_is_named():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"Port {port} is in use.*leave `ports` out"):
            cluster.run(report, workers=1, ports=[port])
    assert cluster.run(report, workers=1, ports=[port])[0]["workers"] == [f"127.0.0.1:{port}"]


def test_a_port_lost_between_looking_and_using_is_tried_again(monkeypatch):
    tries = []

    def lose_once(*arguments):
        tries.append(arguments)
        if len(tries) == 1:
            raise cluster._PortTaken("Address already in use")
        return ["fine"]

    monkeypatch.setattr(cluster, "_run_once", lose_once)
    assert cluster.run(report, workers=1) == ["fine"] and len(tries) == 2
    assert tries[0][1] != tries[1][1], "with other ports"


def test_bad_arguments():
    with pytest.raises(ValueError, match="at least one worker, not 0"):
        cluster.run(report, workers=0)
    with pytest.raises(ValueError, match="2 workers need 2 ports"):
        cluster.run(report, workers=2, ports=[4000])
    with pytest.raises(TypeError):
        cluster.run(report, workers=1, add={1})
    with pytest.raises(cluster.WorkerError, match="not JSON serializable"):
        cluster.run(unfit_result, workers=1)
