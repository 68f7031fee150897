"""Receivers as tests of pages write them."""

from typing import Any

from app.jobs import receivers
from app.models import Endpoint
from app.rules.endpoint_draft import read
from app.vault import Vault
from tests.web.client import Site

STUDIO: dict[str, str] = {
    "name": "Studio Nord",
    "url": "https://hooks.example.com/nord",
    "mode": "json",
    "content": "whole",
    "template": "",
    "form_on_415": "on",
    "timeout": "30",
    "concurrency": "16",
    "rate_per_hour": "0",
    "schedule": "5s, 5min",
    "extra_headers": "",
    "authority": "",
}


def vault(site: Site) -> Vault:
    return Vault(site.config.secret_key())


async def a_receiver(site: Site, **given: Any) -> int:  # noqa: ANN401 - as the form has it
    """A receiver as Grace made it."""
    values, problems = read(STUDIO | given)
    assert problems == {}
    async with site.database.transaction() as db:
        made = await receivers.create(db, values, vault=vault(site), by="grace", now=site.clock())
    return made.id or 0


async def stored(site: Site, endpoint_id: int) -> Endpoint:
    async with site.database.reading() as db:
        return await db.get_one(Endpoint, endpoint_id)


async def change(site: Site, endpoint_id: int, **values: Any) -> None:  # noqa: ANN401 - columns
    async with site.database.transaction() as db:
        endpoint = await db.get_one(Endpoint, endpoint_id)
        for name, value in values.items():
            setattr(endpoint, name, value)
