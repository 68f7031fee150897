"""A draft that is tried, and the work that a worker does for it."""

from typing import Any

import httpx2

from app.integrations.network import Gate
from app.integrations.parser import Parser
from app.integrations.webhook import Webhooks
from app.jobs.context import Context
from app.jobs.queue import Queue
from app.jobs.trial import next_trial
from app.vault import Vault
from tests.web.client import Site

DRAFT = {
    "name": "Newsletters",
    "conditions.mode": "all",
    "conditions.0.field": "subject",
    "conditions.0.operator": "contains",
    "conditions.0.values": "agenda",
    "links_required": "false",
    "offload": "true",
}


async def judge(site: Site) -> None:
    """What a worker does: run the trials that wait."""
    webhooks, queue = Webhooks(Gate("")), Queue(site.config.redis_url)
    async with Parser() as parser:
        context = Context(
            config=site.config,
            database=site.database,
            queue=queue,
            vault=Vault("a key for tests only"),
            parser=parser,
            webhooks=webhooks,
            owner="elsewhere/worker/1/1",
            now=site.clock,
        )
        while await next_trial(context):
            pass
    await webhooks.aclose()
    await queue.aclose()


async def try_out(ada: httpx2.AsyncClient, **fields: Any) -> str:  # noqa: ANN401 - fields of a form
    answer = await ada.post("/trials", data=DRAFT | {"endpoint_ids": "1"} | fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])
