"""Where an approved write may go, judged from the text of its target alone."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

# Stores of files that Spark knows; a local path has none of them, or `file`.
REMOTE = ("s3", "s3a", "s3n", "hdfs", "gs", "abfs", "abfss", "wasbs")
# Folders of the system itself: nobody's results belong there.
SYSTEM = (
    "Applications", "Library", "System", "bin", "boot", "dev", "etc", "lib", "lib32", "lib64",
    "proc", "run", "sbin", "sys", "usr",
)  # fmt: skip
EXAMPLE = "/folder/name"
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_PLAIN = re.compile(r"[^\x00-\x1f\x7f*?\[\]{}#\\$%`\"'<>|]+")
_TABLE = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+){0,2}", re.ASCII)


def local_path(target: str) -> str | None:
    """The path on this machine that a target means; None for one elsewhere."""
    found = _URI.fullmatch(target)
    if found is None:
        return target
    scheme, rest = found.groups()
    if scheme.lower() != "file":
        return None
    return "/" + rest.lstrip("/")


def unfit_path(target: str) -> str:
    """Why nothing may be written there, in words that go on from "it"; or ''."""
    if not _PLAIN.fullmatch(target) or target != target.strip():
        return "is no plain path: a pattern, a quote or a sign of another language is in it"
    found = _URI.fullmatch(target)
    scheme, rest = (found[1].lower(), found[2]) if found else ("file", target)
    if ".." in re.split(r"/+", rest):
        return "leaves its own folder by `..`"
    if scheme in REMOTE:
        return _unfit_remote(rest)
    if scheme != "file":
        return f"names no store that is known: `{scheme}:`"
    if found and re.match(r"//[^/]", rest):
        return "names another machine"
    if not rest.startswith("/"):
        return "is relative, so that it depends on where Spark was started"
    return unfit_local(local_path(target) or "")


def _unfit_remote(rest: str) -> str:
    host, _, path = rest.removeprefix("//").partition("/")
    if not rest.startswith("//") or not host:
        return "names no bucket"
    if ":" in host.rpartition("@")[0]:
        return "holds a password"
    return "" if path.strip("/") else "is a whole bucket"


def unfit_local(path: str) -> str:
    """The same for an absolute path on this machine, as it stands or with its links followed."""
    names = [name for name in PurePosixPath(path).parts[1:] if name != "."]
    names = names[1:] if names[:1] == ["private"] else names  # macOS: /etc is /private/etc
    if names and names[0] in SYSTEM:
        return f"is in a folder of the system, /{names[0]}"
    hidden = [name for name in names if name.startswith(".")]
    if hidden:
        return f"is in a hidden folder, {hidden[0]}"
    return "" if len(names) > 1 else "is at the top of the disk"


def is_within(target: str, roots: tuple[str, ...] | None) -> bool:
    """Whether a target lies below one of these; None allows every place."""
    if roots is None:
        return True
    where = _key(target)
    return any(where == _key(root) or where.startswith(_key(root) + "/") for root in roots)


def _key(target: str) -> str:
    path = local_path(target)
    if path is not None:
        return re.sub(r"/+", "/", path).rstrip("/")
    scheme, _, rest = target.partition(":")
    scheme = "s3" if scheme.lower() in {"s3a", "s3n"} else scheme.lower()
    return f"{scheme}:{re.sub(r'/+', '/', rest)}".rstrip("/")


def unfit_table(name: str) -> str:
    """Why a table of this name cannot be written, or ''."""
    if _TABLE.fullmatch(name):
        return ""
    return "is no plain table name (`table`, `schema.table`)"
