"""What py4j asks about names before each call of a class, answered without the JVM where known.

pyspark asks for a class and for its member each time it calls a function of Spark: two questions
for one call, with the same answers as the last time. The gate keeps the answers, and a job's
process, forked from that of the gate, has them from the start.
"""

from __future__ import annotations

from bluebear_magic.runner.gate_rules import CLASSES, FIELDS, FUNCTIONS, PACKAGES, static_of

# The same for every job, since all see the same classes; filled by the gate.
_short: dict[str, str] = {}
_members: dict[str, str] = {}


def class_answer(name: str) -> str | None:
    """The answer to what a name means, None where the JVM is to be asked."""
    if name in PACKAGES:
        return "yp"
    if name in CLASSES and "." in name:
        return f"yc{name}"
    return _short.get(name)


def member_answer(name: str, member: str) -> str | None:
    """The answer to whether a class has a method, None where somebody is to be asked."""
    if (name, member) in FIELDS or static_of(name, member) is None:
        return None
    return _members.get(member) if name == FUNCTIONS else "ym"


def answer_to(command: str) -> str | None:
    """The answer to a whole command, if it is such a question and its answer is known."""
    if not command.startswith("r\n"):
        return None
    parts = command.split("\n")
    if len(parts) != 6:
        return None
    if parts[1] == "u":
        return class_answer(parts[2])
    return member_answer(parts[2], parts[3]) if parts[1] == "m" else None


def keep_class(name: str, answer: str) -> None:
    """Notes what a short name means."""
    _short[name] = answer


def keep_member(member: str, answer: str) -> None:
    """Notes whether the class of Spark's functions has a method."""
    _members[member] = answer
