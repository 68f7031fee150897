"""Puts a sound SQLite library in the place of the interpreter's own, before anything imports it.

All versions from 3.7.0 to 3.51.2 can corrupt a WAL database that several processes write and checkpoint
(sqlite.org/wal.html#walresetbug), and Debian 12 ships 3.40.1.
"""

import sqlite3
import sys

OLDEST = (3, 51, 3)


def install() -> None:
    """Let `import sqlite3` mean the packaged library, where there is one for this platform.

    Raises:
        RuntimeError: the library that remains is older than 3.51.3.
    """
    try:
        import pysqlite3  # noqa: PLC0415 - absent where the platform has no wheel
    except ImportError:
        found = sqlite3.sqlite_version_info
    else:
        sys.modules["sqlite3"] = pysqlite3
        sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
        found = pysqlite3.sqlite_version_info
    if found < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        message = (
            f"SQLite {'.'.join(map(str, found))} can corrupt a shared database: {wanted} or newer is needed"
        )
        raise RuntimeError(message)


install()
