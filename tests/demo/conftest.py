"""A database with what every empty one gets."""

from datetime import UTC, datetime

import pytest

from app.config import FirstRun
from app.jobs.seed import prepare
from app.models import Database
from app.vault import Vault


@pytest.fixture
async def prepared(database: Database) -> Database:
    await prepare(database, FirstRun(), Vault("a key for tests"), datetime.now(UTC))
    return database
