"""The gate between a job and the JVM: what pyspark sends is read here before the JVM sees it.

Code from a model holds pyspark, and pyspark holds a way to the JVM, which no fence surrounds. So
the job's process does not speak to the JVM: its socket ends here, in the process that made it, in
a thread for each job. Every command of py4j's text protocol is taken apart, held against the
lists of :mod:`bluebear_magic.runner.gate_rules`, written anew and sent on; SQL text is parsed, and
plans are looked at, before Spark runs them. The job has neither the JVM's secret nor a port, and
objects only by what it was given or made itself.

Why not in the job's own process, where it would cost less? Because Python hides nothing: code
that digs through frames and modules would find the socket and speak for itself. Measured on two
cores: a command takes 0.06 ms longer through here, and a check sends 30 to 90 of them. Nearly
half ask which classes and methods there are, and are answered on the job's side of the gate, from
:mod:`bluebear_magic.runner.gate_names`, which wins about as much as the rest costs.

What it cannot see: what Spark does inside an allowed method. The plan is the second look for that.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluebear_magic.runner import gate_names, plan_rules
from bluebear_magic.runner.gate_rules import (
    CLASSES,
    ELEMENTS,
    FIELDS,
    FORMATS,
    INSTEAD,
    MADE,
    OPAQUE,
    READABLE,
    SETTABLE,
    SUSPICIOUS,
    TABLE_ENDS,
    TO_A_PATH,
    TO_A_TABLE,
    Forbidden,
    Method,
    method_of,
    static_of,
)
from bluebear_magic.runner.gate_wire import Closed, Java, Refused, Wire, escaped, unescaped

MAX_COMMAND = 256 << 20  # bytes; a closure of a megabyte goes through a file already
_AT_ONCE = 1 << 18
_OBJECT = re.compile(r"o\d+")
# Methods of a dataset that add nothing but what was looked at already.
_AS_CLEAN = frozenset({"limit", "cache", "persist", "unpersist"})
_OK = "!yv\n"


@dataclass
class Known:
    """What a job holds in the JVM, by the names of its objects there.

    ``kinds``: see gate_rules; ``parents``: the dataset behind a grouping and the like;
    ``clean``: datasets whose plans were looked at; ``plans``: those plans; ``put``: what was put
    into maps and lists that it made; ``frozen``: those of them that may not change any more;
    ``spoilt``: datasets whose writers were told to write elsewhere.
    """

    kinds: dict[str, str]
    parents: dict[str, str] = field(default_factory=dict)
    clean: set[str] = field(default_factory=set)
    plans: dict[str, str] = field(default_factory=dict)
    put: dict[str, set[str]] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    spoilt: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Grant:
    """What one job is given: the names of its datasets, its own folder and that of results.

    ``datasets`` are in small letters; ``results`` is None where there are none to keep.
    ``writes``: the (kind, target) that a person has approved; they are done where ``whole``.
    """

    datasets: frozenset[str] = frozenset()
    scratch: str = ""
    results: str | None = None
    writes: frozenset[tuple[str, str]] = frozenset()
    whole: bool = False


class Gate:
    """The gate of one job. ``ours`` is the parent's end of the socket over which it is reached.

    ``roots``: the objects that a job starts with, by name, and their kinds; ``session`` is the
    name of its session.
    """

    def __init__(
        self, java: Java, ours: socket.socket, session: str, roots: dict[str, str]
    ) -> None:
        self._java = java
        self._control = ours
        self._session = session
        self._known = Known(dict(roots))
        self._grant = Grant()
        self._wires: dict[socket.socket, tuple[Wire, bytearray]] = {}
        self._selector = selectors.DefaultSelector()
        self._parser: str | None = None
        self._files: set[str] | None = None
        self.refused: list[Forbidden] = []
        self._thread = threading.Thread(target=self._serve, daemon=True, name="gate")
        self._commands: dict[str, Callable[[Wire, list[str]], str]] = {
            "c": self._call,
            "r": self._reflect,
            "i": self._make,
            "a": self._array,
            "m": self._forget,
            "p": self._explain_error,
            "B": self._own,
        }

    def start(self) -> None:
        """Serves the job from now on."""
        self._thread.start()

    def admit(self, grant: Grant) -> None:
        """Says what the job is given, before it runs."""
        self._grant = grant

    def close(self) -> None:
        """Lets the job's connections go."""
        for wire, _ in list(self._wires.values()):
            with contextlib.suppress(OSError):
                wire.socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join(1.0)

    # --- connections -----------------------------------------------------------

    def _serve(self) -> None:
        self._selector.register(self._control, selectors.EVENT_READ)
        try:
            while True:
                for key, _ in self._selector.select():
                    connection: Any = key.fileobj
                    try:
                        if connection is self._control:
                            self._connect()
                        else:
                            self._hear(connection)
                    except (Closed, OSError):
                        if connection is self._control:
                            return
                        self._drop(connection)
        finally:
            for connection in list(self._wires):
                self._drop(connection)
            self._control.close()
            self._selector.close()

    def _connect(self) -> None:
        """A new connection of the job, over a descriptor that it sends, and one of ours to Java."""
        said, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        if not said or len(descriptors) != 1:
            raise Closed
        theirs = socket.socket(fileno=descriptors[0])
        try:
            wire = Wire(self._java)
            # Spark's active session is one of a thread, which the JVM has for each connection.
            wire.call(
                "z:org.apache.spark.sql.classic.SparkSession",
                "setActiveSession",
                f"r{self._session}",
            )
        except (Closed, Refused, OSError):
            theirs.close()
            return
        self._wires[theirs] = (wire, bytearray())
        self._selector.register(theirs, selectors.EVENT_READ)

    def _drop(self, connection: socket.socket) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection)
        wire, _ = self._wires.pop(connection)
        wire.socket.close()
        connection.close()

    def _hear(self, connection: socket.socket) -> None:
        wire, buffer = self._wires[connection]
        piece = connection.recv(_AT_ONCE)
        if not piece or len(buffer) > MAX_COMMAND:
            raise Closed
        buffer += piece
        if not buffer.endswith(b"\ne\n") or buffer.count(b"\n") < 3:
            return  # more is to come
        command = bytes(buffer)
        buffer.clear()
        connection.sendall(self._answered(wire, command).encode("utf-8", "surrogateescape"))

    # --- commands ----------------------------------------------------------------

    def _answered(self, wire: Wire, command: bytes) -> str:
        """The answer to one command: the JVM's, or a refusal."""
        try:
            return self._understood(wire, command)
        except Forbidden as forbidden:
            self.refused.append(forbidden)
            told = json.dumps({"what": forbidden.what, "instead": forbidden.instead})
            return f"!xsBLUEBEAR {escaped(told)}\n"
        except Refused as refused:
            return self._note(refused.answer, OPAQUE)

    def _understood(self, wire: Wire, command: bytes) -> str:
        """As ``_admitted``, where what is not understood is not admitted."""
        try:
            return self._admitted(wire, command)
        except (ValueError, TypeError, LookupError, RecursionError):
            raise Forbidden("commands that are not py4j's", INSTEAD["jvm"]) from None

    def _admitted(self, wire: Wire, command: bytes) -> str:
        if b"\r" in command:  # ends a line for Java
            raise Forbidden("commands that are not py4j's")
        try:
            lines = command.decode().split("\n")[:-2]
        except UnicodeDecodeError:
            raise Forbidden("commands that are not py4j's") from None
        # Java takes an empty line, or one of white space, for the end of a command.
        if "e" in lines[2:] or not all(line.strip(_BLANK) for line in lines):
            raise Forbidden("commands that are not py4j's")
        handle = self._commands.get(lines[0])
        if handle is None:
            raise Forbidden("Spark's Java process itself", INSTEAD["jvm"])
        return handle(wire, lines[1:])

    def _send(self, wire: Wire, head: str, lines: Iterable[str]) -> str:
        return wire.ask("\n".join((head, *lines, "e\n")))

    def _note(self, answer: str, kind: str, parent: str | None = None) -> str:
        """The answer, after what it names is known by its kind. Raises Closed for a call back."""
        if not answer.startswith("!"):
            raise Closed
        if answer[2:3] in _REFERENCES:
            name = answer[3:-1]
            failed = answer[1] != "y"
            self._known.kinds[name] = "error" if failed else kind
            if parent is not None and not failed:
                self._known.parents[name] = parent
        return answer

    def _kind(self, name: str) -> str:
        kind = self._known.kinds.get(name)
        if kind is None:
            raise Forbidden("an object of Spark's Java process that is not its own",
                            INSTEAD["jvm"])  # fmt: skip
        return kind

    def _check_arguments(self, wire: Wire, arguments: list[str]) -> None:
        for argument in arguments:
            if argument[0] == "r":
                self._kind(argument[1:])
            elif argument[0] not in "sijLdDbn":
                raise Forbidden("calls from Java back into Python", INSTEAD["jvm"])
            elif argument[0] == "s" and SUSPICIOUS.search(argument):
                self._look_at_text(wire, argument)

    def _call(self, wire: Wire, lines: list[str]) -> str:
        target, name, *arguments = lines
        self._check_arguments(wire, arguments)
        if target.startswith("z:"):
            return self._call_static(wire, target[2:], name, arguments)
        kind = self._kind(target)
        method = method_of(kind, name)
        if method is None:
            raise _not_allowed(kind, name)
        parent = self._parent(target, kind)
        if method.runs:
            self._look(wire, parent or target)
        self._check_call(wire, kind, name, target, arguments)
        if kind == "companion":
            return _OK  # the settings of a builder: those of the session at hand are kept
        answer = self._note(self._send(wire, "c", lines), method.result, parent)
        if name in _AS_CLEAN and target in self._known.clean:
            self._known.clean.add(answer[3:-1])
        return answer

    def _parent(self, target: str, kind: str) -> str | None:
        """The dataset that an object is of: itself, or what it was made from."""
        return target if kind == "dataset" else self._known.parents.get(target)

    def _call_static(self, wire: Wire, name: str, member: str, arguments: list[str]) -> str:
        method = static_of(name, member)
        if method is None:
            raise Forbidden(f"{name}.{member}", INSTEAD["jvm"])
        self._check_static(wire, name, member, method, arguments)
        return self._note(self._send(wire, "c", (f"z:{name}", member, *arguments)), method.result)

    def _reflect(self, wire: Wire, lines: list[str]) -> str:
        """Which class a name means (``u``), whether it has a member (``m``)."""
        if lines[0] == "u" and len(lines) == 3:
            return self._class(wire, lines[1], lines[2])
        if lines[0] == "m" and len(lines) == 3:
            return self._member(wire, lines[1], lines[2])
        raise Forbidden("Java's reflection", INSTEAD["jvm"])

    def _class(self, wire: Wire, name: str, view: str) -> str:
        answer = gate_names.class_answer(name)
        if answer is not None:
            return f"!{answer}\n"
        if not re.fullmatch(r"\w+", name):
            raise _no_class(name)
        found = self._send(wire, "r", ("u", name, view))
        if not found.startswith("!yc") or found[3:-1] not in CLASSES:
            raise _no_class(found[3:-1] or name)
        gate_names.keep_class(name, found[1:-1])
        return found

    def _member(self, wire: Wire, name: str, member: str) -> str:
        kind = FIELDS.get((name, member))
        if kind is not None:
            return self._note(self._send(wire, "r", ("m", name, member)), kind)
        if static_of(name, member) is None:
            raise Forbidden(f"{name}.{member}", INSTEAD["jvm"])
        answer = gate_names.member_answer(name, member)
        if answer is None:
            answer = self._send(wire, "r", ("m", name, member))[1:-1]
            gate_names.keep_member(member, answer)
        return f"!{answer}\n"

    def _make(self, wire: Wire, lines: list[str]) -> str:
        name, *arguments = lines
        kind = MADE.get(name)
        if kind is None:
            raise _no_class(name)
        self._check_arguments(wire, arguments)
        if name.endswith(".SimplePythonFunction"):
            self._check_function(arguments)
        answer = self._note(self._send(wire, "i", lines), kind)
        self._known.put[answer[3:-1]] = set()
        return answer

    def _array(self, wire: Wire, lines: list[str]) -> str:
        """``e``: its length, ``g``: an element, ``s``: sets one, ``c``: makes one."""
        what, target, *arguments = lines
        if what == "c":
            if target not in ELEMENTS and target.removeprefix("java.lang.") not in ELEMENTS:
                raise Forbidden(f"an array of {target}", INSTEAD["jvm"])
            return self._note(self._send(wire, "a", lines), "[value]")
        kind = self._kind(target)
        if what not in {"e", "g", "s"} or not kind.startswith("["):
            raise Forbidden("Java's arrays", INSTEAD["jvm"])
        self._check_arguments(wire, arguments)
        return self._note(self._send(wire, "a", lines), kind[1:-1])

    def _forget(self, _: Wire, lines: list[str]) -> str:
        """What is no longer needed stays until the job ends."""
        if lines[0] != "d":
            raise Forbidden("Spark's Java process itself", INSTEAD["jvm"])
        return _OK

    def _explain_error(self, wire: Wire, lines: list[str]) -> str:
        """The text of an error with its stack."""
        if len(lines) != 1 or self._kind(lines[0][1:]) != "error":
            raise Forbidden("Spark's Java process itself", INSTEAD["jvm"])
        return self._send(wire, "p", lines)

    def _own(self, wire: Wire, lines: list[str]) -> str:
        """The commands that are ours: a plan as JSON, how large what it gives may be, a store.

        A plan is looked at on the way; its size comes with that of Java's heap, both in bytes.
        For a store, such as s3a, the class of its driver; an error where Spark has none.
        """
        if lines[0] == "store" and len(lines) == 2:
            return self._driver(wire, lines[1])
        if len(lines) != 2 or self._kind(lines[1]) != "dataset":
            raise Forbidden("Spark's Java process itself", INSTEAD["jvm"])
        what, dataset = lines
        self._look(wire, dataset)
        if what == "plan":
            return f"!ys{escaped(self._plan(wire, dataset))}\n"
        plan = wire.call(wire.call(dataset, "queryExecution"), "optimizedPlan")
        size = wire.call(wire.call(plan, "stats"), "sizeInBytes")
        if _OBJECT.fullmatch(size):  # a number of Scala's
            size = wire.call(size, "toString")
        heap = wire.call(wire.call("z:java.lang.Runtime", "getRuntime"), "maxMemory")
        return f"!ys{size} {heap}\n"

    def _driver(self, wire: Wire, scheme: str) -> str:
        conf = wire.call(wire.call(self._session, "sessionState"), "newHadoopConf")
        files = "z:org.apache.hadoop.fs.FileSystem"
        wire.call(files, "getFileSystemClass", f"s{escaped(scheme)}", f"r{conf}")
        return _OK

    # --- plans -------------------------------------------------------------------

    def _plan(self, wire: Wire, dataset: str) -> str:
        plans = self._known.plans
        if dataset not in plans:
            execution = wire.call(dataset, "queryExecution")
            plans[dataset] = wire.call(wire.call(execution, "analyzed"), "toJSON")
        return plans[dataset]

    def _look(self, wire: Wire, dataset: str) -> None:
        """Raises Forbidden for a dataset whose plan may not run."""
        if dataset in self._known.clean:
            return
        plan = self._plan(wire, dataset)
        found = plan_rules.objection(plan)
        if found:
            raise Forbidden(found, INSTEAD["jvm"])
        if plan_rules.reads_files(plan):
            self._look_at_files(wire, dataset)
        self._known.clean.add(dataset)

    def _look_at_files(self, wire: Wire, dataset: str) -> None:
        """Files are read only where a bound dataset reads them."""
        if self._files is None:
            self._files = set()
            for name in self._grant.datasets:
                bound = wire.call(self._session, "table", f"s{escaped('`' + name + '`')}")
                self._files.update(_files_of(wire, bound))
        for files in _files_of(wire, dataset):
            if files not in self._files:
                raise Forbidden(f"the files {files}", INSTEAD["reader"])

    def _look_at_sql(self, wire: Wire, text: str) -> None:
        """Parses SQL text as Spark will, and refuses what is no query: it would run at once."""
        found = self._parsed(wire, "parsePlan", text)
        if found:
            raise Forbidden(found, INSTEAD["sql"])

    def _look_at_text(self, wire: Wire, text: str) -> None:
        """The same for text that may be an expression, in which something has a name to look at.

        Spark opens and loads some of it when it makes the plan, so that to look there is late.
        """
        self._check_schema(text)
        found = self._parsed(wire, "parseExpression", text)
        if found:
            raise Forbidden(found, INSTEAD["jvm"])

    def _parsed(self, wire: Wire, how: str, text: str) -> str | None:
        """What there is to say against a text as Spark's own parser reads it."""
        if self._parser is None:
            self._parser = wire.call(wire.call(self._session, "sessionState"), "sqlParser")
        try:
            tree = wire.call(self._parser, how, text)
        except Refused:
            return None  # Spark will say what is wrong with it
        return plan_rules.parsed_objection(wire.call(tree, "toJSON"))

    # --- arguments ---------------------------------------------------------------

    def _check_call(
        self, wire: Wire, kind: str, name: str, target: str, arguments: list[str]
    ) -> None:
        """What depends on the arguments of a method."""
        known = self._known
        if target in known.frozen:
            raise Forbidden("the settings of Python's own processes")
        if kind == "session":
            self._check_session(wire, name, arguments)
        elif kind in {"conf", "defaults"}:
            allowed = SETTABLE if name in {"set", "unset"} else READABLE
            if not arguments or not allowed.fullmatch(_text(arguments[0])):
                key = _text(arguments[0]) if arguments else ""
                raise Forbidden(f"spark.conf.{name} for {key}", INSTEAD["conf"])
        elif name in _VIEWS or kind == "catalog":
            if _NO_NAME.sub("", _text(arguments[0])).lower() in self._grant.datasets:
                raise Forbidden(f"the name of the dataset {_text(arguments[0])} for a view",
                                "give the view another name")  # fmt: skip
        elif name in {"put", "add"} and target in known.put:
            known.put[target].add(arguments[0])
            if _text(arguments[0]).lower() in plan_rules.OPENING_OPTIONS:
                raise Forbidden(f"the option {_text(arguments[0])}, which opens a file")
        elif kind in {"writer", "tablewriter"} or name == "writeTo":
            self._check_write(kind, name, self._parent(target, kind) or target, arguments)
        elif name == "pivot":
            self._check_pivot(wire, target, arguments)
        elif name == "transpose" and arguments:
            self._look(wire, wire.call(target, "withColumn", "sbluebear", arguments[0]))

    def _check_pivot(self, wire: Wire, grouped: str, arguments: list[str]) -> None:
        """Without values to pivot by, Spark fetches them."""
        if arguments[0][0] != "s":
            raise Forbidden("a pivot over anything but the name of a column")
        if len(arguments) == 1:
            self._look(wire, self._known.parents[grouped])

    def _check_session(self, wire: Wire, name: str, arguments: list[str]) -> None:
        if name == "sql":
            if not arguments or arguments[0][0] != "s":
                raise Forbidden("SQL that is no text", INSTEAD["sql"])
            self._look_at_sql(wire, arguments[0])
        elif name in {"parseDataType", "applySchemaToPythonRDD"}:
            self._check_schema(arguments[-1])

    def _check_schema(self, argument: str) -> None:
        found = plan_rules.schema_objection(_text(argument))
        if found:
            raise Forbidden(found, INSTEAD["schema"])

    def _check_write(self, kind: str, name: str, frame: str, arguments: list[str]) -> None:
        """Bluebear's own way of keeping a result, and what a person has approved.

        A writer is told things step by step, and each step gives it another name: what spoils
        one spoils all of its dataset's.
        """
        told = _text(arguments[0]) if arguments else ""
        if (name in {"format", "using"} and told.lower() not in FORMATS) or (
            name == "option" and told.lower() == "path"
        ):
            self._known.spoilt.add(frame)
        allowed = True
        if kind == "dataset":  # writeTo
            allowed = ("table", told) in self._grant.writes
        elif kind == "tablewriter" and name in TABLE_ENDS:
            allowed = self._grant.whole and frame not in self._known.spoilt
        elif name in TO_A_PATH:
            allowed = self._may_write(told) and frame not in self._known.spoilt
        elif name in TO_A_TABLE:
            approved = self._grant.whole and ("table", told) in self._grant.writes
            allowed = approved and frame not in self._known.spoilt
        if not allowed:
            raise Forbidden("DataFrame.write", INSTEAD["writer"])

    def _may_write(self, path: str) -> bool:
        """Whether a path is for a result, or an approved write's; of a check its own folder's."""
        grant = self._grant
        if grant.whole and ("path", path) in grant.writes:
            return True
        where = Path(path)
        if grant.results is not None and str(where.parent) == grant.results:
            return where.name.isdigit()
        return bool(grant.writes) and not grant.whole and self._is_own(path)

    def _check_static(
        self, wire: Wire, name: str, member: str, method: Method, arguments: list[str]
    ) -> None:
        if method.runs:  # of an execution
            dataset = self._known.parents.get(arguments[0][1:])
            if dataset is None:
                raise Forbidden(f"{name}.{member}", INSTEAD["jvm"])
            self._look(wire, dataset)
        elif member in {"fn", "call_function", "call_udf"}:
            called = _text(arguments[0]).replace("`", "").strip().lower().rsplit(".", 1)[-1]
            if called in plan_rules.NO_FUNCTIONS:
                raise Forbidden(f"the function {called}: {plan_rules.NO_FUNCTIONS[called]}")
        elif member in {"readArrowStreamFromFile", "readRDDFromFile", "setupBroadcast"}:
            self._check_file(next((a for a in arguments if a[0] == "s"), "s"))
        elif member in {"toDataFrame", "from_json", "from_csv", "ddlToJson", "jsonToDDL"}:
            for argument in arguments:
                if argument[0] == "s":
                    self._check_schema(argument)

    def _check_file(self, argument: str) -> None:
        if not self._is_own(_text(argument)):
            raise Forbidden(f"the file {_text(argument)}", INSTEAD["reader"])

    def _is_own(self, path: str) -> bool:
        """Whether a path lies in the job's own folder."""
        return os.path.realpath(path).startswith(os.path.realpath(self._grant.scratch) + os.sep)

    def _check_function(self, arguments: list[str]) -> None:
        """A Python function for Spark: run by our Python, in an environment of our making.

        Arguments: the pickled function, variables, files, Python, its version, shared values,
        the counter.
        """
        known = self._known
        names = [argument[1:] for argument in arguments]
        if (
            len(arguments) != 7
            or known.put.get(names[1], {""}) - {"sPYTHONHASHSEED"}
            or known.put.get(names[2], {""})
            or _text(arguments[3]) != sys.executable
        ):
            raise Forbidden("a program of its own for Python functions", INSTEAD["jvm"])
        known.frozen.update(names[1:3])


_BLANK = "".join(map(chr, range(33)))
_REFERENCES = frozenset("rltahg")
_NO_NAME = re.compile(r"/\*.*?\*/|--[^\n]*|[`\s]", re.DOTALL)  # what a parser leaves out of a name
_VIEWS = frozenset({"createTempView", "createOrReplaceTempView"})


def _text(argument: str) -> str:
    """The text of an argument; nothing for another type."""
    return unescaped(argument[1:]) if argument[0] == "s" else ""


def _files_of(wire: Wire, dataset: str) -> set[str]:
    """What each relation of files in a dataset's plan reads, as Spark words it."""
    plan = wire.call(wire.call(dataset, "queryExecution"), "analyzed")
    leaves = wire.call(plan, "collectLeaves")
    found = set()
    for place in range(int(wire.call(leaves, "size"))):
        leaf = wire.call(leaves, "apply", f"i{place}")
        if wire.call(leaf, "nodeName").startswith("LogicalRelation"):
            location = wire.call(wire.call(leaf, "relation"), "location")
            found.add(wire.call(wire.call(location, "rootPaths"), "toString"))
    return found


def _no_class(name: str) -> Forbidden:
    what = "class" if name.rsplit(".", 1)[-1][:1].isupper() else "package"
    return Forbidden(f"the Java {what} {name}", INSTEAD["jvm"])


def _not_allowed(kind: str, name: str) -> Forbidden:
    spoken = {"session": "spark", "reader": "spark.read", "conf": "spark.conf",
              "catalog": "spark.catalog", "dataset": "DataFrame", "writer": "DataFrame.write",
              "context": "sparkContext", "spark": "sparkContext"}  # fmt: skip
    where = spoken.get(kind)
    name = {"javaToPython": "rdd"}.get(name, name)  # as pyspark calls it
    what = f"{where}.{name}" if where else f"the Java method {name}"
    return Forbidden(what, INSTEAD.get(kind, INSTEAD["jvm"]))
