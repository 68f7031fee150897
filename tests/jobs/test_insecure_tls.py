"""A receiver that cannot prove its name gets something only where form and environment both say so."""

import ssl
from dataclasses import replace

import pytest
import trustme

from app.integrations.network import Gate
from app.integrations.webhook import Webhooks
from app.jobs.deliver import Deliverer
from app.models import Attempt, Endpoint
from tests.jobs.conftest import World, running
from tests.letters import with_link
from tests.servers import Sink


@pytest.mark.parametrize(
    ("allowed", "verify", "outcome"),
    [
        (False, False, "tls_failed"),
        (False, True, "tls_failed"),
        (True, False, "sent"),
        (True, True, "tls_failed"),
    ],
)
async def test_a_certificate_is_taken_unseen_only_where_both_switches_say_so(
    world: World, *, allowed: bool, verify: bool, outcome: str
) -> None:
    unknown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(unknown)
    with Sink(context=unknown) as sink:
        await world.change(Endpoint, url=sink.url, verify_tls=verify)
        world.arrives(with_link())
        await world.poll()
        await world.decide()
        config = world.context.config.model_copy(update={"allow_insecure_tls": allowed})
        webhooks = Webhooks(Gate(sink.address))
        world.deliverer = Deliverer(replace(world.context, config=config, webhooks=webhooks))
        async with running(world.deliverer):
            await world.deliver()
        await webhooks.aclose()
    assert (await world.one(Attempt)).outcome == outcome
    assert len(sink.seen) == (outcome == "sent")
