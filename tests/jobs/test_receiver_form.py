"""A receiver's form: what those refuse who know addresses and certificates, and what is kept beside it."""

from typing import Any

import pytest

from app.integrations.network import Gate
from app.jobs import receivers
from app.jobs.receiver_form import read
from app.jobs.receivers import ChangedMeanwhile
from app.models import Endpoint
from app.rules.words import say
from tests.jobs.conftest import World
from tests.jobs.test_receivers import FORM, act, endpoint, values


def refused(**changes: Any) -> dict[str, str]:  # noqa: ANN401
    raw = FORM | {"url": "https://hooks.example.com/x"} | changes
    _, problems = read(raw, gate=Gate(), may_be_insecure=False)
    return {place: say(reason) for place, reason in problems.items()}


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/x", "https://127.0.0.1/x", "https://a:b@hooks.example.com", "studio"]
)
def test_an_address_that_may_not_be_called_is_refused_at_its_field(url: str) -> None:
    assert refused(url=url).keys() == {"url"}


def test_what_is_no_certificate_is_refused_at_its_field() -> None:
    text = "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----"
    assert refused(authority=text)["authority"].startswith("Certificates in PEM form are expected")


@pytest.mark.parametrize(
    "meanwhile", [{"url": "https://elsewhere.example.net/"}, {"extra_headers": b"others"}]
)
async def test_a_form_that_keeps_headers_is_not_saved_over_others(
    world: World, meanwhile: dict[str, Any]
) -> None:
    known = await endpoint(world)
    await world.change(Endpoint, **meanwhile)
    with pytest.raises(ChangedMeanwhile):
        await act(world, receivers.save, values=values(world), read=known, vault=world.context.vault)


@pytest.mark.parametrize(
    "url",
    [
        *("https://0177.0.0.1/", "https://[v1.a]/", "https://ⓔxample.com/", "https://x.org\u00ad/"),
        *("https://[x", "https://x.example:99999/"),
    ],
)
def test_what_could_never_be_sent_is_not_taken(url: str) -> None:
    assert refused(url=url).keys() == {"url"}
