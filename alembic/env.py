"""How migrations reach the database: through the same engine as the program."""

import asyncio

from sqlalchemy import Connection, DateTime, Enum
from sqlalchemy.ext.asyncio import create_async_engine

from alembic import context
from app.models import metadata, sqlite
from app.models.columns import Moment


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Write library types into migrations, so that they never import the program."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and type(item).__name__ == "AutoString":
        length = getattr(item, "length", None)
        return f"sa.String(length={length})" if length else "sa.String()"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    return False


def compare_type(
    _context: object, _column: object, _metadata: object, _found: object, wanted: object
) -> bool | None:
    return False if isinstance(wanted, Moment | DateTime) else None


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=compare_type,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def main(url: str) -> None:
    sqlite.install()
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(main(context.config.attributes["url"]))
