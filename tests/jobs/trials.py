"""Drafts to try, mail to try them over, and a worker that does it."""

from typing import Any

from sqlmodel import col, select

from app.jobs.draft import request_trial
from app.jobs.trial import next_trial
from app.models import Message, Raw, Run, TrialResult
from app.rules.condition import Condition, Field, Group, Operator
from app.rules.rule import Rule as RuleValue
from tests.jobs.conftest import World
from tests.letters import a_mail, matching, newsletter, with_link


def about(words: str, *, id: int = 0, **fields: Any) -> RuleValue:  # noqa: A002, ANN401 - a rule's fields
    """A draft that takes every mail whose subject contains these words."""
    condition = Condition(field=Field.SUBJECT, operator=Operator.CONTAINS, values=(words,))
    known: dict[str, Any] = {
        "name": f"About {words}",
        "conditions": Group(items=(condition,)),
        "links_required": False,
        "endpoint_ids": (1,),
    }
    return RuleValue(id=id, version_id=0, **known | fields)


async def ask(world: World, draft: RuleValue, *, days: int = 7) -> int:
    async with world.context.database.transaction() as db:
        run = request_trial(db, draft, days=days, by="ada", now=world.clock())
    return run.id or 0


async def tried(world: World, draft: RuleValue, *, days: int = 7) -> Run:
    number = await ask(world, draft, days=days)
    assert await next_trial(world.context)
    async with world.context.database.reading() as db:
        return await db.get_one(Run, number)


async def found(world: World, run: Run) -> dict[str, str]:
    query = (
        select(Message.subject, TrialResult.change)
        .join(TrialResult, col(TrialResult.message_id) == Message.id)
        .where(TrialResult.run_id == run.id)
    )
    async with world.context.database.reading() as db:
        return dict((await db.exec(query)).all())


def counts(run: Run) -> dict[str, int]:
    return {word: number for word, number in run.details["counts"].items() if number}


async def a_day(world: World) -> None:
    """A mission that leaves, a mail with files that leaves, and two that no rule wants."""
    world.arrives(matching(42), with_link(), newsletter(), a_mail("Facture 12", "Ci-joint."))
    await world.poll()
    await world.decide()


async def many(world: World, number: int) -> None:
    """Mail that was decided, without the way through a mailbox."""
    await a_day(world)
    async with world.context.database.transaction() as db:
        known = (await db.get_one(Message, 4)).model_dump(exclude={"id"})
        kept = (await db.get_one(Raw, 4)).model_dump(exclude={"message_id"})
        rows = [Message(**known | {"uid": 1000 + place, "subject": "Facture 1"}) for place in range(number)]
        db.add_all(rows)
        await db.flush()
        db.add_all([Raw(message_id=row.id or 0, **kept) for row in rows])


async def began(world: World, number: int) -> bool:
    async with world.context.database.reading() as db:
        return (await db.get_one(Run, number)).done > 0


async def stop(world: World, number: int) -> None:
    async with world.context.database.transaction() as db:
        (await db.get_one(Run, number)).cancel(world.clock())
