"""Deliveries to send again, somebody who asks for it, and a worker that does it."""

from datetime import datetime

from sqlmodel import col, select

from app.jobs.replay import next_replay, request_replay
from app.models import Delivery, DeliveryState, Run
from app.models.history import DeliveryFilter
from app.models.replay import Order, survey
from tests.jobs.conftest import World
from tests.letters import matching

FAILED, SENT, PENDING = DeliveryState.FAILED, DeliveryState.SENT, DeliveryState.PENDING


async def lots(world: World, *numbers: int) -> None:
    """Let a mail about each of these lots arrive, be decided and be sent."""
    world.arrives(*map(matching, numbers))
    await world.poll()
    await world.decide()
    while await world.deliver():
        pass


async def fail(world: World, *numbers: int) -> None:
    """Let these deliveries have been given up."""
    async with world.context.database.transaction() as db:
        for number in numbers:
            (await db.get_one(Delivery, number)).state = FAILED


async def ask(world: World, *, as_new: bool = False, per_minute: int = 0, **wanted: str | int) -> int:
    """Ask for a replay of what matches at this moment."""
    chosen = DeliveryFilter(**wanted)  # type: ignore[arg-type]
    async with world.context.database.transaction() as db:
        found = await survey(db, chosen)
        order = Order(wanted=chosen, newest=found.newest, as_new=as_new, per_minute=per_minute)
        run = request_replay(db, order, found, by="ada", now=world.clock())
    return run.id or 0


async def put_back(world: World) -> int:
    """Do what a worker does in this second, and count what stands in the line then."""
    while await next_replay(world.context):
        pass
    async with world.context.database.reading() as db:
        return len((await db.exec(select(Delivery.id).where(Delivery.state == PENDING))).all())


async def the_run(world: World, number: int = 1) -> Run:
    async with world.context.database.reading() as db:
        return await db.get_one(Run, number)


async def deliveries(world: World) -> list[Delivery]:
    async with world.context.database.reading() as db:
        return list((await db.exec(select(Delivery).order_by(col(Delivery.id)))).all())


def arrived(world: World, *, since: int = 0) -> list[int]:
    """The lots that the receiver was told of, in that order."""
    return [int(seen.json["subject"].split()[-1]) for seen in world.sink.seen[since:]]


def seconds(moments: list[datetime]) -> list[float]:
    return [(at - moments[0]).total_seconds() for at in moments]
