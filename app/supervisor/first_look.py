"""What the supervisor must know of the database before it starts anything: a look, at next to no cost.

The library that migrates takes two seconds to import; a database that is up to date needs none of it.
"""

import re
from pathlib import Path
from urllib.parse import quote

try:
    import pysqlite3 as sqlite3
except ImportError:  # no wheel for this platform; the children check the version before they write
    import sqlite3

REVISION = re.compile(r"^(down_revision|revision)\b[^=\n]*=\s*(?:[\"'](\w+)[\"']|None)", re.MULTILINE)


def up_to_date(database: Path, versions: Path) -> bool:
    """Say whether the database stands at the newest revision in the folder `versions`."""
    return _look(database, "SELECT version_num FROM alembic_version") == [(_newest(versions),)]


def has_own_mailbox(database: Path) -> bool:
    """Say whether somebody connected a mailbox that is not the demo's."""
    return bool(_look(database, "SELECT 1 FROM mailbox WHERE NOT demo LIMIT 1"))


def _look(database: Path, query: str) -> list[tuple[object, ...]]:
    """Ask an SQLite file that may not exist or have no tables yet; both are no rows."""
    try:
        connection = sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return []
    try:
        return list(connection.execute(query))
    except sqlite3.DatabaseError:
        return []
    finally:
        connection.close()


def _newest(versions: Path) -> str:
    """Find the revision that no other one follows; empty when that is not exactly one."""
    found = [dict(REVISION.findall(path.read_text())) for path in versions.glob("*.py")]
    heads = {one.get("revision", "") for one in found} - {one.get("down_revision", "") for one in found}
    return heads.pop() if len(heads) == 1 else ""
