"""What is asked each second costs nothing worth speaking of, however much is in the ledger."""

from typing import Any

import pytest
from sqlalchemy import event

from app.jobs.sweep import sweep
from app.models import Database, due
from tests.jobs.conftest import World

LARGE = {"ix_message_state", "ix_delivery_state", "ix_delivery_endpoint", "SCAN message", "SCAN delivery"}


@pytest.fixture
def asked(database: Database) -> list[tuple[str, Any]]:
    """The statements that were asked of the reader, and what was bound."""
    seen: list[tuple[str, Any]] = []
    engine = database._reader.sync_engine  # noqa: SLF001
    event.listen(engine, "before_cursor_execute", lambda *given: seen.append((given[2], given[3])))
    return seen


async def test_what_is_asked_each_second_is_answered_from_the_small_indexes(
    world: World, asked: list[tuple[str, Any]]
) -> None:
    await sweep(world.context)
    async with world.context.database.reading() as db:
        await due.endpoints(db, owner="", now=world.clock())
    of_many = [pair for pair in asked if "FROM message" in pair[0] or "FROM delivery" in pair[0]]
    assert len(of_many) >= 7
    for statement, bound in of_many:
        if "'sending'" in statement or "in_line_since IS NOT NULL" in statement:
            continue  # never more than are sent at once, or than a pause kept back
        plan = await _plan(world.context.database, statement, bound)
        assert not [name for name in LARGE if name in plan], f"{statement}\n{plan}"


async def _plan(database: Database, statement: str, bound: Any) -> str:  # noqa: ANN401 - as the driver takes it
    async with database.reading() as db:
        connection = await db.connection()
        rows = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", bound)).all()
    return "\n".join(row.detail for row in rows)
