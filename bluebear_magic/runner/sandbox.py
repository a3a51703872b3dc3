"""What code from a model may touch: nothing of the machine but Python itself and a scratch folder.

``confine`` is for a process that runs such code: the one of a job, and Spark's UDF workers.
It cannot be undone. Three fences, each where the system has it:

- limits of the kernel on memory and file sizes (POSIX);
- Landlock (Linux 5.13 and later): files, TCP (6.7) and signals (6.12), also for C code, and
  with it ``/proc`` of every other process, where credentials could be read;
- an audit hook: what Python itself is about to do, so that the refusal names it.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import resource
import site
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE_BYTES = 1 << 30  # one file written by the code, its output included
_SYSTEM = (
    "/usr", "/lib", "/lib64", "/bin", "/System", "/Library/Frameworks", "/opt/homebrew",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/nsswitch.conf", "/etc/hosts", "/etc/passwd",
    "/etc/ssl", "/etc/alternatives", "/etc/mime.types", "/proc/meminfo", "/proc/cpuinfo",
    "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/sys/devices/system/cpu",
)  # fmt: skip


@dataclass(frozen=True)
class Fence:
    """``read``: files and folders to read beside Python's own; ``write``: to read and write.

    ``ports``: TCP ports on this machine that may be connected to; ``sockets``: folders with
    sockets that may be; ``memory_mb``: what may be allocated on top of what the process has now.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    sockets: tuple[str, ...] = ()
    memory_mb: int = 2048


def confine(fence: Fence) -> None:
    """Puts this process, and what it starts, behind the fence; for good."""
    readable = [*_SYSTEM, *_pythons_own(), *fence.read]
    _limit(fence.memory_mb)
    landlock(readable, fence.write, fence.ports)
    sys.addaudithook(_hook(readable, fence))


def _pythons_own() -> list[str]:
    """Where Python, and what this package imports, are installed; never a notebook's folder."""
    packages = [Path(__file__).parents[2], *map(Path, site.getsitepackages())]
    for name in ("pyspark", "pyarrow", "py4j", "pandas", "numpy"):
        found = getattr(sys.modules.get(name), "__file__", None)
        if found:
            packages.append(Path(found).parents[1])
    # Of the folder that holds this package only the package: a clone holds more than code.
    own = str(Path(__file__).parents[1])
    kept = [str(path) for path in packages if path.name in {"site-packages", "dist-packages"}]
    return [sys.prefix, sys.base_prefix, own, site.getusersitepackages(), *kept]


# --- the kernel's limits -----------------------------------------------------


def _limit(memory_mb: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    have = _allocated()
    if have is not None:  # macOS has the limit but does not keep it
        limit = have + memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _allocated() -> int | None:
    """Private writable memory of this process in bytes, as RLIMIT_DATA counts it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return None


# --- Landlock ----------------------------------------------------------------

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls, the same on every architecture
_NO_NEW_PRIVILEGES = 38
_READ = 1 << 2 | 1 << 3  # read a file, read a folder; nowhere to start a program from
_NO_LINKS = 1 << 0 | 1 << 6 | 1 << 11 | 1 << 12  # in what may be written: programs, devices, links
_OF_A_FILE = 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_CONNECT = 1 << 1
_SIGNALS = 1 << 0 | 1 << 1  # abstract sockets, and signals, to processes outside


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _Port(ctypes.Structure):
    _fields_ = (("access", ctypes.c_uint64), ("port", ctypes.c_uint64))


_LIBC = ctypes.CDLL(None, use_errno=True)


def landlock_version() -> int:
    """The version of Landlock that this system has; 0 where it has none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, int(_LIBC.syscall(_CREATE, None, 0, 1)))


def landlock(read: Iterable[str], write: Iterable[str], ports: Iterable[int]) -> bool:
    """Restricts this process for good; False where the system has no Landlock."""
    version = landlock_version()
    if not version:
        return False
    fs = _BY_VERSION[max(known for known in _BY_VERSION if known <= version)]
    wanted = _Ruleset(fs, _CONNECT if version >= 4 else 0, _SIGNALS if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _LIBC.syscall(_CREATE, ctypes.byref(wanted), size, 0)
    if rules < 0:
        return False
    try:
        for path in read:
            _allow(rules, path, fs & _READ)
        for path in write:
            _allow(rules, path, fs & ~_NO_LINKS)
        _allow(rules, "/dev/null", fs & (1 << 1 | 1 << 2))
        if version >= 4:
            for port in ports:
                rule = _Port(_CONNECT, port)
                _LIBC.syscall(_ADD, rules, 2, ctypes.byref(rule), 0)
        _LIBC.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        return bool(_LIBC.syscall(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: str, access: int) -> None:
    try:
        parent = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    except OSError:
        return  # not there: nothing to allow
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            access &= _OF_A_FILE
        rule = _Beneath(access, parent)
        _LIBC.syscall(_ADD, rules, 1, ctypes.byref(rule), 0)
    finally:
        os.close(parent)


# --- the audit hook ----------------------------------------------------------

# Events of Python's audit table, by what they would do.
_NEVER = {
    "start a process": "os.fork os.forkpty os.exec os.posix_spawn os.spawn os.system "
    "os.startfile subprocess.Popen pty.spawn",
    "send a signal to a process": "os.kill os.killpg signal.pthread_kill",
    "change the limits of its process": "resource.setrlimit resource.prlimit",
    "call native code": "ctypes.dlsym ctypes.dlsym/handle ctypes.call_function ctypes.string_at "
    "ctypes.wstring_at ctypes.cdata ctypes.cdata/buffer ctypes.addressof",
}
_READS = "os.listdir os.scandir os.chdir glob.glob sqlite3.connect"
_WRITES = (
    "os.remove os.rename os.mkdir os.rmdir os.chmod os.chown os.link os.symlink os.truncate "
    "os.utime os.setxattr os.removexattr shutil.rmtree"
)
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
Event = tuple[Any, ...]


def _never(refuse: Callable[[str], None], what: str, _: Event) -> None:
    refuse(what)


def _refuse(what: str) -> None:
    raise PermissionError(f"the code may not {what}")


def _loads_library(event: Event) -> None:
    if event[0]:  # importing ctypes, as pandas does, names none
        _refuse("call native code")


class _Roots:
    """Folders, and what lies in them; kept apart from modules that the code may change."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._real, self._text = os.path.realpath, os.fsdecode
        self._roots = tuple(self._real(path) for path in paths if path)
        self._own = f"/proc/{os.getpid()}/"

    def hold(self, path: Any) -> bool:
        if path is None or isinstance(path, int):
            return True
        where = self._real(self._text(path))
        return where.startswith(self._own) or any(
            where == root or where.startswith(root + "/") for root in self._roots
        )


def _hook(readable: Iterable[str], fence: Fence) -> Callable[[str, Event], None]:
    """What looks at each event before it happens, and refuses it by an exception."""
    writable = fence.write
    handlers: dict[str, Callable[[Event], None]] = {}
    for what, events in _NEVER.items():
        for event in events.split():
            handlers[event] = functools.partial(_never, _refuse, what)
    handlers.update(_about_files(_Roots([*readable, *writable]), _Roots([*writable, os.devnull])))
    handlers.update(_about_networks(fence.ports, _Roots(fence.sockets)))
    handlers["ctypes.dlopen"] = _loads_library
    find = handlers.get

    def hook(event: str, arguments: Event) -> None:
        handler = find(event)
        if handler is not None:
            handler(arguments)

    return hook


def _about_files(readable: _Roots, writable: _Roots) -> dict[str, Callable[[Event], None]]:
    refuse, text = _refuse, os.fsdecode  # not looked up later, in modules that the code may change

    def opened(event: Event) -> None:
        path, mode, flags = event
        if flags & (os.O_WRONLY | os.O_RDWR) or set(mode or "") & set("wax+"):
            if not writable.hold(path):
                refuse(f"write the file {text(path)}")
        elif not readable.hold(path):
            refuse(f"read the file {text(path)}")

    def read(event: Event) -> None:
        if event and not readable.hold(event[0]):
            refuse(f"read the folder {text(event[0])}")

    def changed(event: Event) -> None:
        for path in event[:2]:
            if isinstance(path, str | bytes | os.PathLike) and not writable.hold(path):
                refuse(f"change the file {text(path)}")

    return {
        "open": opened,
        **dict.fromkeys(_READS.split(), read),
        **dict.fromkeys(_WRITES.split(), changed),
    }


def _about_networks(ports: tuple[int, ...], sockets: _Roots) -> dict[str, Callable[[Event], None]]:
    refuse, text = _refuse, os.fsdecode

    def connects(event: Event) -> None:
        address = event[1] if len(event) > 1 else None
        if address is None:
            return  # a message to where the socket is connected already
        if not isinstance(address, tuple):  # a socket of this machine, which is a file
            if not sockets.hold(address):
                refuse(f"connect to {text(address)}")
        elif address[0] not in _LOOPBACK or address[1] not in ports:
            refuse(f"connect to {address[0]}:{address[1]}")

    def listens(event: Event) -> None:
        if isinstance(event[1], tuple):
            refuse("listen on the network")

    def looks_up(event: Event) -> None:
        if event[0] not in _LOOPBACK:
            refuse(f"look up the host {event[0]}")

    return {
        **dict.fromkeys(("socket.connect", "socket.sendto", "socket.sendmsg"), connects),
        **dict.fromkeys(("socket.getaddrinfo", "socket.gethostbyname"), looks_up),
        "socket.bind": listens,
    }
