"""`signal-server migrate`: the newest tables, and what an empty database starts with."""

import asyncio
from pathlib import Path

import structlog
from alembic.config import Config as AlembicConfig
from sqlalchemy.exc import OperationalError

from alembic import command
from app.clock import now
from app.config import Config, ConfigError, FirstRun
from app.jobs.seed import prepare
from app.models import Database
from app.ready import CannotStart
from app.vault import Vault

SCRIPTS = Path(__file__).parents[1] / "alembic"

log = structlog.get_logger()


def run(config: Config) -> None:
    """Bring the database up to date.

    Raises:
        CannotStart: the database cannot be written, or a variable that is read into it is malformed.
    """
    config.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        upgrade(config.database)
        asyncio.run(_prepare(config))
    except (OperationalError, ConfigError) as error:
        raise CannotStart(str(getattr(error, "orig", error))) from None
    log.info("database up to date")


def upgrade(url: str, revision: str = "head") -> None:
    """Apply the migrations to the database at `url` (an asynchronous driver's address)."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(SCRIPTS))
    settings.attributes["url"] = url
    command.upgrade(settings, revision)


async def _prepare(config: Config) -> None:
    database = Database(config.database)
    try:
        await prepare(database, FirstRun.load(), Vault(config.secret_key()), now())
    finally:
        await database.aclose()
