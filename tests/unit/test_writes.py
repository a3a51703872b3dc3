"""What of a write can be read in the code, shown, and approved."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluebear_magic.guard import READ_ONLY, check, places, preset
from bluebear_magic.runner.envelope import Job, Write

WRITING = preset("write_with_approval")
FRAME = 'from pyspark.sql import functions as F\ndf = spark.table("sales")\nresult = df\n'


def judged(code, policy=WRITING, approved=()):
    return check(FRAME + code, ["sales", "customers"], policy, approved)


def written(code):
    """The writes of code that asks for nothing but approval."""
    verdict = judged(code)
    assert verdict.word == "approve", verdict.findings
    return [finding.write for finding in verdict.pending]


def refused(code):
    """What is said of a write that nobody may approve."""
    verdict = judged(code, approved={"SPARK-WRITE"})
    (finding,) = (f for f in verdict.blocking if f.rule == "SPARK-WRITE")
    assert not verdict.ok
    return finding.message


@pytest.mark.parametrize(
    ("code", "write"),
    [
        ('df.write.parquet("/data/x")', ("path", "parquet", "/data/x", "errorifexists")),
        ('df.write.mode("overwrite").csv("s3://b/x")', ("path", "csv", "s3://b/x", "overwrite")),
        ('df.write.json("/data/x", "append")', ("path", "json", "/data/x", "append")),
        ('df.write.orc(path="/data/x", mode="ignore")', ("path", "orc", "/data/x", "ignore")),
        ('df.write.save("/data/x")', ("path", "parquet", "/data/x", "errorifexists")),
        ('df.write.format("ORC").save("/data/x")', ("path", "orc", "/data/x", "errorifexists")),
        ('df.write.save("/d/x", "csv", "append")', ("path", "csv", "/d/x", "append")),
        ('df.write.save("/d/x", mode="error")', ("path", "parquet", "/d/x", "errorifexists")),
        ('df.write.partitionBy("a").bucketBy(4, "a").sortBy("a").mode(saveMode="append")'
         '.parquet("file:///data/x")', ("path", "parquet", "file:///data/x", "append")),
        ('df.write.saveAsTable("mart.t")', ("table", "parquet", "mart.t", "errorifexists")),
        ('df.write.insertInto("t")', ("table", "table", "t", "append")),
        ('df.write.insertInto("t", overwrite=True)', ("table", "table", "t", "overwrite")),
        ('df.write.mode("overwrite").insertInto("t")', ("table", "table", "t", "overwrite")),
        ('df.writeTo("a.b.c").using("iceberg").partitionedBy(F.years("d")).createOrReplace()',
         ("table", "iceberg", "a.b.c", "createOrReplace")),
        ('df.writeTo(table="t").append()', ("table", "table", "t", "append")),
        ('df.filter("amount > 1").write.text("/data/x")',
         ("path", "text", "/data/x", "errorifexists")),
        ('(\n    df\n    .write\n    .mode("append")\n    .parquet("/data/x")\n)',
         ("path", "parquet", "/data/x", "append")),
    ],
)  # fmt: skip
def test_a_write_is_read_to_its_end(code, write):
    assert written(code) == [Write(*write)]
    assert not judged(code, READ_ONLY).ok
    assert judged(code, preset("locked"), {"SPARK-WRITE"}).word == "block"


def test_options_are_shown():
    (write,) = written('df.write.option("header", True).options(sep=";").csv("/d/x", quote="!")')
    assert dict(write.options) == {"header": "True", "sep": ";", "quote": "!"}
    (finding,) = judged('df.write.option("header", True).csv("/d/x")').pending
    assert "header=True" in finding.message


@pytest.mark.parametrize(
    "code",
    [
        'for n in ["a", "b"]:\n    df.write.parquet(f"/data/{n}")',
        'def save(where):\n    df.write.parquet("/data/" + where)\nsave("a")\nsave("b")',
        'where = "/data/a" if df.count() else "/data/b"\ndf.write.parquet(where)',
    ],
)
def test_each_target_is_a_finding_of_its_own(code):
    assert [write.target for write in written(code)] == ["/data/a", "/data/b"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("df.write.parquet(df.columns[0])", "only known at run time"),
        ('df.write.mode(df.columns[0]).parquet("/a/b")', "the mode is only known at run time"),
        ('df.write.format(df.columns[0]).save("/a/b")', "the format is only known"),
        ('w = df.write\nw.mode("append")', "one expression"),
        ('df.write.mode("append")', "one expression"),
        ('df.write.parquet("/a/b", **{"mode": "overwrite"})', "`**` hides"),
        ('df.write.parquet(*["/a/b"])', "arguments that are not known"),
        ('df.write.options(**{"path": "/etc/x"}).parquet("/a/b")', "`**` hides"),
        ('df.write.option("path", "/etc/x").save("/a/b")', "option `path`"),
        ('df.write.option("PATH", "/etc/x").save("/a/b")', "option `PATH`"),
        ('df.write.option("sep", df.columns[0]).csv("/a/b")', "only known at run time"),
        ('df.write.save(path="/a/b", fs="x")', "option `fs`"),
        ('df.write.format("jdbc").save("/a/b")', "not on the list of formats"),
        ('df.write.format("org.x.Y").save("/a/b")', "not on the list of formats"),
        ('df.write.jdbc("jdbc:x", "t")', "one expression"),
        ('df.write.mode("drop").parquet("/a/b")', "no mode `drop`"),
        ("df.write.save()", "the path is missing"),
        ("df.write.parquet(1)", "only known at run time"),
        ('df.write.saveAsTable("a.b.c.d")', "no plain table name"),
        ('df.write.saveAsTable("`a`")', "no plain table name"),
        ('df.writeTo("t")', "one expression"),
        ('df.writeTo("t").overwrite(F.col("a") == 1)', "one expression"),
        ('df.writeTo("t").tableProperty("location", "/etc").create()', "not on the list"),
        ('df.write.insertInto("t", df.isEmpty())', "only known at run time"),
        ('for n in range(30):\n    df.write.parquet("/data/x" + str(n))', "more than 20 writes"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_blocked(code, words):
    assert words in refused(code)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("x", "relative"),
        ("out/x", "relative"),
        ("file:x", "relative"),
        ("~/x/y", "relative"),
        ("", "no plain path"),
        ("/", "top of the disk"),
        ("/data", "top of the disk"),
        ("/data/", "top of the disk"),
        ("/data/.", "top of the disk"),
        ("/data/../etc/x", "`..`"),
        ("s3://b/../c", "`..`"),
        ("/etc/x", "system"),
        ("//etc/x", "system"),
        ("/./etc/x", "system"),
        ("file:/etc/x", "system"),
        ("FILE:///etc/x", "system"),
        ("/private/etc/x", "system"),
        ("/proc/self/x", "system"),
        ("/home/me/.ssh/x", "hidden"),
        ("/data/.x", "hidden"),
        ("file://host/data/x", "another machine"),
        ("s3://b", "whole bucket"),
        ("s3:///x", "no bucket"),
        ("s3a://KEY:SECRET@b/x", "password"),
        ("http://host/x", "no store"),
        ("jar:file:/a/b", "no store"),
        ("/data/*", "no plain path"),
        ("/data/a b\n", "no plain path"),
        ("/data/x ", "no plain path"),
        ("/data/%2e%2e/x", "no plain path"),
        ("/data/${HOME}", "no plain path"),
        ("/data\\x/y", "no plain path"),
    ],
)
def test_places_that_nobody_can_approve(target, words):
    assert words in places.unfit_path(target)
    assert words in refused(f"df.write.parquet({target!r})")


@pytest.mark.parametrize(
    "target",
    ["/data/x", "/tmp/a b/x", "file:///home/me/out", "s3://b/x", "s3a://b/x/y", "hdfs://n:8020/x/y",
     "abfss://c@a.dfs.core.windows.net/x", "/daten/größe"],
)  # fmt: skip
def test_places_that_a_person_can_approve(target):
    assert not places.unfit_path(target)


@given(st.text(max_size=40))
def test_no_text_of_a_target_breaks_the_guard(target):
    verdict = judged(f"df.write.parquet({target!r})")
    assert verdict.word in {"approve", "block"}
    assert all(finding.write.target == target for finding in verdict.pending)


def test_writes_stay_below_what_the_machine_allows():
    policy = preset("write_with_approval", ("/data/out", "s3://team/results"))
    for target in ("/data/out/x", "file:///data/out/x", "s3a://team/results/x", "/data//out/x/"):
        assert judged(f'df.write.parquet("{target}")', policy).word == "approve", target
    for target in ("/data/outside", "/data/x", "s3://team/other", "s3://results/x"):
        assert judged(f'df.write.parquet("{target}")', policy).word == "block", target


def test_an_approved_write_stays_visible():
    verdict = judged('df.write.parquet("/data/x")', approved={"SPARK-WRITE"})
    assert verdict.ok
    assert verdict.word == "warn"
    assert verdict.writes == (Write("path", "parquet", "/data/x", "errorifexists"),)
    (finding,) = verdict.findings
    assert finding.severity == "warn"
    assert "/data/x" in finding.message


@pytest.mark.parametrize(
    "code",
    [
        'df.write.parquet("/data/x")._jdf',
        "df.write._jwrite",
        'F.write.parquet("/data/x")',
        'df.write.parquet("/data/x")\nimport os',
        'df.write.parquet(eval("1"))',
        'spark.sql("INSERT INTO t SELECT 1")',
        'spark.sql("CREATE TABLE t AS SELECT 1")',
        'df.createGlobalTempView("x")',
        'spark.catalog.dropTempView("sales")',
        'df.writeStream.start("/data/x")',
        'df.toPandas().to_csv("/data/x")',
    ],
)
def test_approval_opens_no_other_door(code):
    assert judged(code, approved={finding.rule for finding in judged(code).findings}).blocking


def test_unsafe_code_is_unsafe_whoever_approves():
    """The corpus of unsafe code: of all of it only plain writes can be approved."""
    text = (Path(__file__).parent / "corpus" / "guard_unsafe.txt").read_text(encoding="utf-8")
    blocks = f"\n{text}".split("\n=== ")[1:]
    codes = [code for block in blocks for code in block.partition("\n")[2].split("\n---\n")]
    allowed = [code for code in codes if not judged(code, approved={"SPARK-WRITE"}).blocking]
    assert len(allowed) < len(codes) / 50
    assert all("write" in code for code in allowed), allowed


def test_no_flood_of_findings_hides_what_blocks():
    builders = (
        "from pyspark.sql import SparkSession\n" + "SparkSession.builder.getOrCreate()\n" * 300
    )
    verdict = judged(builders + "eval('1')\n")
    assert [finding.rule for finding in verdict.blocking] == ["PY-BUILTIN"]
    writes = "".join(f'df.write.parquet("/data/{n}")\n' for n in range(300))
    verdict = judged(writes + "eval('1')\n", approved={"SPARK-WRITE"})
    assert [finding.rule for finding in verdict.blocking] == ["PY-BUILTIN"]
    assert len(verdict.writes) == 300


def test_presets_differ_in_name_and_fingerprint():
    policies = [READ_ONLY, WRITING, preset("locked"), preset("write_with_approval", ("/d/x",))]
    assert len({policy.fingerprint for policy in policies}) == 4
    assert preset("read_only") is READ_ONLY


def test_a_job_carries_its_writes_as_json():
    write = Write("path", "csv", "/data/x", "append", (("header", "True"),))
    job = Job("result = 1", writes=(write,))
    assert Job.from_json(job.to_json()) == job
