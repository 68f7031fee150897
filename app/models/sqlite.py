"""Puts a sound SQLite library in the place of the interpreter's own, before anything imports it.

All versions from 3.7.0 to 3.51.2 can corrupt a WAL database that several processes write and checkpoint
(sqlite.org/wal.html#walresetbug), and Debian 12 ships 3.40.1.
"""

import sqlite3
import sys
from contextlib import suppress
from importlib import import_module
from types import ModuleType

from app.ready import CannotStart

OLDEST = (3, 51, 3)


def install() -> ModuleType:
    """Let `import sqlite3` mean the packaged library, where there is one for this platform.

    SQLAlchemy imports its driver when the first engine is made: call this before.

    Raises:
        CannotStart: the library that remains is older than 3.51.3.
    """
    library: ModuleType = sqlite3
    with suppress(ImportError):  # the platform has no wheel
        library = import_module("pysqlite3")
        sys.modules["sqlite3"], sys.modules["sqlite3.dbapi2"] = library, library.dbapi2
    if library.sqlite_version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        message = (
            f"SQLite {library.sqlite_version} can corrupt a shared database: {wanted} or newer is needed"
        )
        raise CannotStart(message)
    return library
