"""With the static guard switched off, unsafe code still does no harm: it fails at the gate to the
JVM, at the look at its plan, or at the fences of its process.

Nothing here asks the guard: each snippet goes straight to the worker, in one warm Spark, in the
driver's Python and, where it is Python's own, inside a function that Spark runs as well. What is
not stopped is listed in ``NOT_STOPPED``, and each entry is shown to be so.
"""

import contextlib
import re
import shutil
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bluebear_magic.runner.envelope import Binding, Job, Limits, Outcome, Write
from bluebear_magic.runner.sandbox import landlock_version
from tests.functional.everyday_corpus import EVERYDAY, MEANT_TO_FAIL, START
from tests.functional.second_line_corpus import ALONE, JVM, PYTHON, SPARK, SQL

WORD = "hunter2-must-not-come-out"
OK = "result = spark.table('sales')"
LANDLOCK = pytest.mark.skipif(not landlock_version(), reason="this system has no Landlock")

# Harmless as they stand: they give what is no secret, or nothing happens.
HARMLESS = {
    "the gateway shut": "the job's own connection ends; the next one opens anew",
    "a process by multiprocessing": "the kernel lets no program start; Python does not look",
}


class Scene:
    """What could be harmed: a secret, a path, a port, a socket; and whether it was."""

    def __init__(self, folder):
        self.folder = folder
        self.secret = folder / "secret.txt"
        self.out = folder / "harm"
        self.jar = folder / "some.jar"
        self.calls = []
        self._servers = [socket.create_server(("127.0.0.1", 0))]
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = self._servers[0].getsockname()[1]
        self._datagrams.bind(("127.0.0.1", self.port))
        self.sock = folder / "service.sock"
        local = socket.socket(socket.AF_UNIX)
        local.bind(str(self.sock))
        local.listen()
        self._servers.append(local)
        for server in self._servers:
            threading.Thread(target=self._listen, args=(server,), daemon=True).start()
        self.renew()

    def _listen(self, server):
        while True:
            try:
                connection, address = server.accept()
            except OSError:
                return
            self.calls.append(address)
            connection.close()

    def renew(self):
        self.secret.write_text(WORD)
        self.jar.write_bytes(b"PK\5\6" + bytes(18))
        self.calls.clear()
        if self.out.is_dir():
            shutil.rmtree(self.out)
        self.out.unlink(missing_ok=True)

    def close(self):
        for server in [*self._servers, self._datagrams]:
            server.close()

    def filled(self, code):
        values = {"SECRET": self.secret, "OUT": self.out, "JAR": self.jar, "SOCK": self.sock,
                  "PORT": self.port}  # fmt: skip
        return re.sub(r"@([A-Z]+)@", lambda found: str(values[found[1]]), code)

    def harm(self, outcome, workdir):
        """What happened that must not have."""
        told = outcome.to_json()
        found = []
        if WORD in told:
            found.append("the secret came out")
        if f"{workdir}/udf" in told or f'"{workdir}"' in told or f"{workdir}\\n" in outcome.stdout:
            found.append("the JVM's environment or properties came out")
        if self.out.exists():
            found.append("a file was written or a process started")
        if not self.secret.exists() or self.secret.read_text() != WORD:
            found.append("a file was changed")
        self._datagrams.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            self.calls.append(self._datagrams.recv(1))
        if self.calls:
            found.append("something was called")
        return found


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    scene = Scene(tmp_path_factory.mktemp("scene"))
    yield scene
    scene.close()


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "sales.csv"
    path.write_text("region,sales,day\nN,1,2024-01-01\nS,2,2024-01-02\n")
    schema = "region STRING, sales BIGINT, day DATE"
    return Binding(
        "sales", "csv", (str(path),), schema, (("header", "true"),), fingerprint="second"
    )


@pytest.fixture
def run(local, reporter, sales):
    def run(code, mode="sample", datasets=None, output=20_000, **more):
        limits = Limits(seconds=60, memory_mb=512, output=output)
        return local.run(Job(code, datasets or (sales,), mode, limits, **more), reporter)

    return run


# Runs each snippet by itself and says what came of it: it ended, or what stopped it.
TRY_ALL = """
def tried(code):
    names = {{"spark": spark}}
    try:
        exec(compile(code, "<snippet>", "exec"), names)
        if "harm" in names:
            print(names["harm"]())
        if "result" in names:
            names["result"].limit(3).show(truncate=False)
        return "done"
    except BaseException as error:
        return f"{{type(error).__name__}}: {{error}}"[:200]

for what, code in {snippets!r}.items():
    print("TRIED", what, "->", tried(code).replace(chr(10), " "))
"""
TRY_ALL_IN_SPARK = """
from pyspark.sql import functions as F
SNIPPETS = {snippets!r}

@F.udf("string")
def tried(what):
    names = {{}}
    try:
        exec(compile(SNIPPETS[what], "<snippet>", "exec"), names)
        print(names["harm"]())
        return f"done {{names['harm']()}}"
    except BaseException as error:
        return f"{{type(error).__name__}}: {{error}}"[:200]

frame = spark.createDataFrame([(what,) for what in SNIPPETS], ["what"]).coalesce(1)
for row in frame.select("what", tried("what").alias("came")).collect():
    print("TRIED", row.what, "->", row.came.replace(chr(10), " "))
"""


def function_of(body):
    """A function's body as source."""
    lines = "\n    ".join(body.replace("; ", "\n").splitlines())
    return f"def harm():\n    {lines}\n"


def batches(snippets, size):
    """Few at once; alone what would spoil others."""
    together = [what for what in snippets if what not in ALONE]
    yield from ([what] for what in snippets if what in ALONE)
    for start in range(0, len(together), size):
        yield together[start : start + size]


def let_through(run, scene, local, snippets, *, frame=TRY_ALL, size=40):
    """What was not stopped: what harm was done, or which snippets came to their end."""
    found = []
    for names in batches(snippets, size):
        scene.renew()
        code = frame.format(snippets={what: scene.filled(snippets[what]) for what in names})
        outcome = run(f"{code}\n{OK}")
        harm = scene.harm(outcome, local._worker._workdir)
        ends = ends_of(outcome)
        whole = outcome.fault is None or outcome.fault.kind == "forbidden"
        if whole and len(ends) < len(names):
            found.append((names, "not all were tried", outcome.stdout))
        if harm:
            found.append((names, harm, outcome.stdout, outcome.fault))
        found += [(what, end) for what, end in ends.items()
                  if end.startswith("done") and what not in HARMLESS]  # fmt: skip
        if not whole and len(names) > 1:
            found.append((names, outcome.fault))
    return found


def test_harm_would_be_noticed(scene, tmp_path):
    """What the tests below rest on."""
    nothing = Outcome("ok")
    scene.renew()
    assert scene.harm(nothing, tmp_path) == []
    assert scene.harm(Outcome("ok", stdout=f"x {WORD}"), tmp_path) == ["the secret came out"]
    assert scene.harm(Outcome("ok", stdout=f"{tmp_path}/udf"), tmp_path)
    scene.out.write_text("")
    assert scene.harm(nothing, tmp_path) == ["a file was written or a process started"]
    scene.renew()
    scene.secret.unlink()
    assert scene.harm(nothing, tmp_path) == ["a file was changed"]
    for family, address in [(socket.AF_INET, ("127.0.0.1", scene.port)),
                            (socket.AF_UNIX, str(scene.sock))]:  # fmt: skip
        scene.renew()
        with socket.socket(family) as caller:
            caller.connect(address)
            caller.recv(1)
        assert scene.harm(nothing, tmp_path) == ["something was called"]
    scene.renew()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.sendto(b"x", ("127.0.0.1", scene.port))
    assert scene.harm(nothing, tmp_path) == ["something was called"]


def test_there_are_enough_of_them():
    every = {*JVM.values(), *SPARK.values(), *SQL.values(), *PYTHON.values()}
    assert len(every) >= 150
    assert len(PYTHON) >= 50


@pytest.mark.parametrize("family", [JVM, SPARK, SQL], ids=["jvm", "spark", "sql"])
def test_what_is_asked_of_spark_does_no_harm(run, scene, local, family):
    assert run(OK).status == "ok"
    jvm = local._worker._ready["jvm"]
    assert let_through(run, scene, local, family) == []
    assert local._worker._ready["jvm"] == jvm
    assert run(OK).status == "ok"
    assert not list(Path(local._worker._workdir).glob("warehouse/*"))


@LANDLOCK
@pytest.mark.parametrize("frame", [TRY_ALL, TRY_ALL_IN_SPARK], ids=["driver", "udf"])
def test_what_is_asked_of_python_does_no_harm(run, scene, local, frame):
    snippets = {what: function_of(body) for what, body in PYTHON.items()}
    assert let_through(run, scene, local, snippets, frame=frame) == []
    assert run(OK).status == "ok"


def test_a_refusal_says_where_what_and_what_instead(run):
    fault = run("x = 1\nspark._jvm.java.lang.Runtime.getRuntime()\n" + OK).fault
    assert (fault.kind, fault.line) == ("forbidden", 2)
    assert "java.lang.Runtime" in fault.message
    assert fault.fragment == "spark._jvm.java.lang.Runtime.getRuntime()"
    assert "DataFrame API" in fault.suggestion

    fault = run("\nresult = spark.read.csv('x')").fault
    assert (fault.kind, fault.line) == ("forbidden", 2)
    assert "spark.table(name)" in fault.suggestion

    fault = run('\n\nspark.sql("DROP VIEW sales")\n' + OK).fault
    assert (fault.kind, fault.line) == ("forbidden", 3)
    assert "drop" in fault.message


def test_a_refusal_that_is_swallowed_is_told_all_the_same(run):
    code = "try:\n    spark._jvm.java.lang.System\nexcept BaseException:\n    pass\n" + OK
    fault = run(code).fault
    assert fault.kind == "forbidden"
    assert "java.lang.System" in fault.message


def test_files_are_read_only_where_a_dataset_reads_them(run, sales, tmp_path):
    """In a full run a plan reads files: the dataset's own, by its name, a view and a join."""
    code = """sales = spark.table("sales")
sales.createOrReplaceTempView("mine")
result = spark.sql("select * from mine join sales using (region)").groupBy("region").count()"""
    outcome = run(code, "full", result_dir=str(tmp_path / "out"))
    assert outcome.status == "ok", outcome.fault
    assert Path(outcome.tables[0].uri).parent == tmp_path / "out"


def test_a_full_run_writes_only_its_own_results(run, scene, tmp_path):
    scene.renew()
    code = f"spark.table('sales').write.parquet({str(scene.out)!r})\n{OK}"
    fault = run(code, "full", result_dir=str(tmp_path / "out")).fault
    assert (fault.kind, fault.line) == ("WriteRefused", 1)
    assert not scene.out.exists()
    below = f"spark.table('sales')._jdf.write().parquet({str(scene.out)!r})\n{OK}"
    fault = run(below, "full", result_dir=str(tmp_path / "out")).fault
    assert (fault.kind, fault.line) == ("forbidden", 1)
    assert not scene.out.exists()


@pytest.mark.parametrize(
    "write",
    ["write().parquet({other!r})", "write().option('path', {other!r}).save({there!r})",
     "write().format('jdbc').save({there!r})", "write().saveAsTable('harm')",
     "writeTo('harm')", "write().mode('overwrite').format('org.x.Y').save({there!r})"],
)  # fmt: skip
def test_an_approval_is_for_one_place(run, scene, tmp_path, write):
    """Below pyspark's own writers, where nothing but the gate looks."""
    scene.renew()
    there = str(tmp_path / "approved")
    code = "spark.table('sales')._jdf." + write.format(other=str(scene.out), there=there)
    approved = (Write("path", "parquet", there, "overwrite"),)
    for mode in ("sample", "full"):
        fault = run(f"{code}\n{OK}", mode, result_dir=str(tmp_path / "out"), writes=approved).fault
        assert (fault.kind, fault.line) == ("forbidden", 1), fault
    assert not scene.out.exists()
    assert not Path(there).exists()


def test_a_job_knows_neither_the_port_nor_the_secret_of_the_jvm(run):
    code = """
client = spark._jvm._gateway_client
print(client.port, client.java_parameters.port, client.java_parameters.auth_token)
import os
found = []
for number in range(3, 512):
    try:
        found.append(os.fstat(number) and number)
    except OSError:
        pass
print(len(found))
result = spark.table("sales")"""
    told = run(code).stdout
    assert told.startswith("0 0 None\n")
    assert int(told.splitlines()[1]) <= 3, "the pipe, the gate, the connection through it"


# --- what must pass -------------------------------------------------------------------


def ends_of(outcome):
    """What came of each snippet that was tried."""
    lines = [line for line in outcome.stdout.splitlines() if line.startswith("TRIED ")]
    return dict(line.removeprefix("TRIED ").split(" -> ", 1) for line in lines)


def test_everyday_pyspark_passes(run):
    code = TRY_ALL.format(snippets={str(n): START + line for n, line in enumerate(EVERYDAY)})
    outcome = run(f"{code}\n{OK}", output=1_000_000)
    ends = ends_of(outcome)
    assert [(EVERYDAY[int(n)], end) for n, end in ends.items() if end != "done"] == []
    assert len(ends) == len(EVERYDAY)
    assert outcome.status == "ok"


def test_mistakes_are_told_by_spark_itself(run):
    snippets = {str(n): START + line for n, line in enumerate(MEANT_TO_FAIL)}
    outcome = run(f"{TRY_ALL.format(snippets=snippets)}\n{OK}", output=1_000_000)
    assert outcome.status == "ok"
    kinds = [end.split(":")[0] for end in ends_of(outcome).values()]
    assert len(kinds) == len(MEANT_TO_FAIL)
    assert set(kinds) <= {"AnalysisException", "ParseException", "ArithmeticException",
                          "PythonException", "AttributeError", "NumberFormatException",
                          "DateTimeException"}  # fmt: skip


def test_honest_programs_are_not_refused(local, reporter, sales):
    """Those of the static guard: their columns are mostly not there, what they ask for is."""
    text = (Path(__file__).parents[1] / "unit" / "corpus" / "guard_honest.txt").read_text()
    programs = [
        part
        for family in re.split(r"(?m)^=== .*$", text)
        for part in re.split(r"(?m)^---$", family)
        if part.strip()
    ]
    names = sorted(set(re.findall(r"""table\(["'](\w+)["']\)""", text)) | {"sales"})
    schema = ", ".join(f"{name} STRING" for name in "region product customer_id id".split())
    schema += ", amount DOUBLE, quantity INT, date DATE, sales BIGINT"
    bindings = tuple(replace(sales, name=name, schema=schema, fingerprint=name) for name in names)
    code = TRY_ALL.format(snippets={str(n): part for n, part in enumerate(programs)})
    names_there = '{"spark": spark, "display": print, "__name__": "__main__"}'
    code = code.replace('{"spark": spark}', names_there)
    # What runs is seen above; here Spark needs only to understand it.
    code = code.replace(".limit(3).show(truncate=False)", ".schema")
    limits = Limits(seconds=120, output=4_000_000)
    outcome = local.run(Job(f"{code}\n{OK}", bindings, limits=limits), reporter)
    ends = ends_of(outcome)
    assert len(ends) == len(programs) > 150
    refused = [(programs[int(n)], end) for n, end in ends.items() if end.startswith("Forbidden")]
    assert refused == []
    assert sum(end == "done" for end in ends.values()) > len(programs) // 2


# --- what is not stopped --------------------------------------------------------------

NOT_STOPPED = {
    "time and memory up to the job's limits": (
        "x = [0] * 10**6\nresult = spark.range(10).selectExpr('sum(id) s')",
        "the limits of the job end it",
    ),
    "reading what every program on the machine may read to start": (
        "print(len(open('/etc/passwd').read()) > 0)\n" + OK,
        "Python and its libraries need these files; they hold no secrets",
    ),
    "reading the installed packages": (
        "import pyspark\nprint(len(open(pyspark.__file__).read()) > 0)\n" + OK,
        "they are needed to import anything",
    ),
    "settings of how Spark works, for its own session": (
        "spark.conf.set('spark.sql.shuffle.partitions', '7')\n" + OK,
        "they end with the job and open no door",
    ),
    "files in its own folder": (
        "open('note', 'w').write('x')\nprint(open('note').read())\n" + OK,
        "the folder is the job's own and goes with it",
    ),
    "changing pyspark's Python for itself": (
        "from pyspark.sql import DataFrame\nDataFrame.count = lambda self: 42\n"
        "print(spark.table('sales').count())\n" + OK,
        "the process is the job's own and ends with it",
    ),
    "lying about its own outcome": (
        "from bluebear_magic.runner import execute\n"
        "execute._rows = lambda batches, limit: (('a lie', 1),)\n" + OK,
        "who runs in a process may say anything in its name; what it says is shown as its result",
    ),
    "a class named by a type in a schema that SQL puts together": (
        'spark.sql("select from_json(\'1\', \'{\\"type\\":\\"u\' || \'dt\\",\\"class\\":'
        '\\"java.lang.Object\\",\\"sqlType\\":\\"string\\"}\')")\n' + OK,
        "Spark makes an object of the class, by a constructor without arguments, and refuses it",
    ),
}


@pytest.mark.parametrize("what", NOT_STOPPED)
def test_what_is_not_stopped_is_listed(run, what):
    code, why = NOT_STOPPED[what]
    assert why
    outcome = run(code)
    assert outcome.fault is None or outcome.fault.kind != "forbidden"


# --- what it costs --------------------------------------------------------------------


def test_the_gate_is_quick(run):
    code = """from pyspark.sql import functions as F
import time
begun = time.perf_counter()
for _ in range(200):
    F.col("x")
print((time.perf_counter() - begun) / 200 * 1000)
result = spark.table("sales")"""
    assert min(float(run(code).stdout) for _ in range(3)) < 3.0
