"""The surroundings of what the clean-up looks at."""

import pytest

from app.jobs.context import Context
from tests.jobs.retention.ledger import NOW
from tests.views.cast import Cast, add_surroundings


@pytest.fixture
async def cast(context: Context) -> Cast:
    cast = Cast(NOW)
    async with context.database.transaction() as db:
        await add_surroundings(db, cast)
    return cast
