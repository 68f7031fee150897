"""The predecessor's recorded answers about tries an hour, asked of what claims ask."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.jobs.context import Context
from app.jobs.seed import new_endpoint
from app.models import Sending
from app.models.endpoint_test import EndpointTest
from app.models.refusal import against, used_this_hour

EPOCH = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())["vectors"]
ASKED = [vector for vector in VECTORS if vector["group"] == "rate_limit"]


@pytest.mark.parametrize("vector", ASKED, ids=lambda vector: vector["id"])
async def test_as_many_tries_an_hour_are_let_through_as_were(
    context: Context, vector: dict[str, Any]
) -> None:
    given, expected = vector["input"], vector["expected"]
    now = EPOCH + timedelta(seconds=given["now"])
    async with context.database.transaction() as db:
        endpoint = new_endpoint("studio", "https://hooks.example.com/in", context.vault, EPOCH)
        endpoint.rate_per_hour = given["limit"]
        db.add(endpoint)
        await db.flush()
        for number, seconds in enumerate(given["events"]):
            at = EPOCH + timedelta(seconds=seconds)
            test = EndpointTest(
                endpoint_id=endpoint.id or 0, webhook_id=f"{number}", requested_by="ada", requested_at=at
            )
            test.started_at = at
            db.add(test)
        await db.flush()
        used = (await used_this_hour(db, [endpoint], now))[endpoint.id]
        assert used == (len(expected["remaining_events"]) if given["limit"] else 0)
        allowed = against(endpoint, sending=Sending.ON, used=used, now=now) is None
        assert allowed is expected["allowed"]
