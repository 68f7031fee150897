"""A program's routing rules at work: first match wins, to its own receiver, and to the usual one as well."""

from typing import Any

from sqlmodel import select

from app.integrations.network import Gate
from app.jobs.routing import save
from app.jobs.seed import add_endpoint, new_endpoint
from app.models import Endpoint
from app.rules.routing import Problem, read
from tests.jobs.conftest import World
from tests.letters import a_mail, matching

OWN = "https://bills.example.com/in"


async def route(world: World, *rules: dict[str, Any]) -> None:
    """Save them as a program does; their receiver is then another path of the test's own."""
    routes = read(list(rules))
    assert not isinstance(routes, Problem)
    async with world.context.database.transaction() as db:
        await save(db, routes, gate=Gate(""), vault=world.context.vault, by="ada", now=world.clock())
        for endpoint in (await db.exec(select(Endpoint).where(Endpoint.url == OWN))).all():
            endpoint.url = f"{world.sink.url}/bills"


def rule(word: str, **actions: Any) -> dict[str, Any]:  # noqa: ANN401 - as a program sends it
    return {
        "conditions": [{"field": "subject", "operator": "contains", "value": word}],
        "actions": {"webhook_url": OWN} | actions,
    }


async def paths(world: World) -> list[str]:
    await world.settle()
    return sorted(seen.path for seen in world.sink.seen)


async def test_what_matches_goes_to_its_receiver_and_to_the_usual_one(world: World) -> None:
    await route(world, rule("facture"))
    world.arrives(a_mail("Fàcture 12", "rien"))
    assert await paths(world) == ["/hook", "/hook/bills"]


async def test_what_stops_goes_to_its_receiver_alone(world: World) -> None:
    await route(world, rule("facture", stop_processing=True))
    world.arrives(a_mail("Facture 12", "https://fromsmash.com/f1"))
    assert await paths(world) == ["/hook/bills"]


async def test_what_matches_none_goes_the_way_of_the_other_rules(world: World) -> None:
    await route(world, rule("facture"))
    world.arrives(matching())
    assert await paths(world) == ["/hook"]
    assert world.sink.seen[0].json["detector"] == "recadrage"


async def test_a_receiver_of_the_environment_does_not_take_them_over(world: World) -> None:
    await route(world, rule("facture", stop_processing=True))
    async with world.context.database.transaction() as db:
        endpoint = new_endpoint("later", f"{world.sink.url}/later", world.context.vault, world.clock())
        await add_endpoint(db, endpoint, by="environment", now=world.clock())
    world.arrives(a_mail("Facture 12", "rien"), matching())
    assert await paths(world) == ["/hook/bills", "/hook/later"]
