"""SQLite's own functions for files, in the packaged library's memory, and how ours are put before them."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from importlib import import_module
from types import ModuleType
from typing import Any

from app.models import sqlite

OK, IOERR_WRITE, IOERR_FSYNC, FULL = 0, 10 | 3 << 8, 10 | 4 << 8, 13


class Methods(Structure):
    """What can be done with an open file: `struct sqlite3_io_methods`."""


class File(Structure):
    """An open file: `struct sqlite3_file`, of which only the beginning is for others to know."""

    _fields_ = (("methods", POINTER(Methods)),)


Write = CFUNCTYPE(c_int, POINTER(File), c_void_p, c_int, c_int64)
Truncate = CFUNCTYPE(c_int, POINTER(File), c_int64)
Sync = CFUNCTYPE(c_int, POINTER(File), c_int)
Size = CFUNCTYPE(c_int, POINTER(File), POINTER(c_int64))
Close = CFUNCTYPE(c_int, POINTER(File))

Methods._fields_ = (
    ("version", c_int),
    ("close", Close),
    ("read", c_void_p),
    ("write", Write),
    ("truncate", Truncate),
    ("sync", Sync),
    ("size", Size),
    *((f"as_it_is_{number}", c_void_p) for number in range(12)),  # locks, shared memory, and the like
)


class Vfs(Structure):
    """The operating system, as SQLite sees it: `struct sqlite3_vfs`."""


# a path is no c_char_p: SQLite keeps the very pointer, and reads on behind its end
Open = CFUNCTYPE(c_int, POINTER(Vfs), c_void_p, POINTER(File), c_int, POINTER(c_int))
Delete = CFUNCTYPE(c_int, POINTER(Vfs), c_void_p, c_int)

Vfs._fields_ = (
    ("version", c_int),
    ("file_size", c_int),
    ("longest_path", c_int),
    ("next", c_void_p),
    ("name", c_char_p),
    ("data", c_void_p),
    ("open", Open),
    ("delete", Delete),
)

Opened = Callable[[str, Methods], Methods]

_kept: list[Any] = []  # a connection may outlive the test that opened it: its functions must not go


@contextmanager
def replaced(*, opened: Opened, deleted: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, whatever file SQLite opens works with the methods that `opened` gives for it."""
    vfs = _default(sqlite.install())
    real_open, real_delete = apart(vfs.open), apart(vfs.delete)

    def our_open(system: Any, path: int | None, file: Any, *rest: Any) -> int:  # noqa: ANN401 - C's pointers
        code: int = real_open(system, path, file, *rest)
        if code == OK and path is not None:
            methods = opened(_text(path), file.contents.methods.contents)
            _kept.append(methods)
            file.contents.methods = ctypes.pointer(methods)
        return code

    def our_delete(system: Any, path: int, sync: int) -> int:  # noqa: ANN401
        code: int = real_delete(system, path, sync)
        if code == OK:
            deleted(_text(path))
        return code

    ours = Open(our_open), Delete(our_delete)
    _kept.append(ours)
    vfs.open, vfs.delete = ours
    try:
        yield
    finally:
        vfs.open, vfs.delete = real_open, real_delete


def apart(function: Any) -> Any:  # noqa: ANN401 - one of the kinds above
    """Take a function out of its table: what ctypes gives still looks there when it is called."""
    return type(function)(ctypes.cast(function, c_void_p).value)


def copy_of(methods: Methods) -> Methods:
    copied = Methods()
    ctypes.pointer(copied)[0] = methods
    return copied


def _text(path: int) -> str:
    return ctypes.string_at(path).decode()


def _default(library: ModuleType) -> Vfs:
    shared = ctypes.CDLL(import_module(f"{library.__name__}._sqlite3".removeprefix("sqlite3.")).__file__)
    find = shared.sqlite3_vfs_find
    find.restype, find.argtypes = POINTER(Vfs), [c_char_p]
    found: Vfs = find(None).contents
    return found
