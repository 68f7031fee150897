"""Rules that an operator made, from the mailbox to the receiver."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.jobs import amend
from app.models import Decision, Delivery, DeliveryState, Message, Rule
from app.rules.condition import Condition, Group
from app.rules.draft import read
from tests.jobs.conftest import World
from tests.letters import a_mail
from tests.rules.conditions import asks, group
from tests.servers.sink import Answer

TEMPLATE = '{"ref": "{{captures.ref}}", "who": "De {{captures.who}}", "subject": "{{subject}}", "fixed": [1]}'
ORDER = "Commande n°\u00a0B-42 de Zoé Ménard"
LINK = asks("link present")
CAPTURES = asks("subject matches", r"commande n°\s(?P<ref>\S+) de (?P<who>.+)")


async def only(world: World, *rules: Sequence[Condition | Group], **fields: Any) -> None:  # noqa: ANN401 - of a rule
    """Let these rules of our own be the only ones, each of some conditions, saved as a page saves them."""
    async with world.context.database.transaction() as db:
        for rule, _ in await Rule.listed(db):
            rule.active = False
        for position, items in enumerate(rules):
            conditions = Group(items=tuple(items)).to_json()
            raw = {"links_required": False, "name": f"Ours {position}", "endpoint_ids": [1], **fields}
            value, problems = read(raw | {"conditions": conditions}, endpoints=[1])
            assert value, problems
            rule = await Rule.add(db, position=position, now=world.clock())
            rule.save(db, replace(value, id=rule.id or 0), by="ada", now=world.clock())


async def change(world: World, **fields: Any) -> None:  # noqa: ANN401 - of a rule
    """Save another version of the rule in force."""
    async with world.context.database.transaction() as db:
        (value,) = await Rule.in_force(db)
        rule = await db.get_one(Rule, value.id)
        rule.save(db, replace(value, **fields), by="ada", now=world.clock())


def sent(world: World) -> list[Any]:
    return [seen.json for seen in world.sink.seen]


async def test_a_template_says_what_the_receiver_gets_with_what_a_pattern_caught(world: World) -> None:
    await only(world, [CAPTURES], template=TEMPLATE)
    world.arrives(a_mail(ORDER, "Bonjour"))
    await world.settle()
    assert sent(world) == [{"ref": "B-42", "who": "De Zoé Ménard", "subject": ORDER, "fixed": [1]}]
    assert (await world.one(Delivery)).facts["captures"] == {"ref": "B-42", "who": "Zoé Ménard"}


async def test_what_catches_nothing_is_empty_in_the_template(world: World) -> None:
    invoice = asks("subject matches", r"facture (?P<ref>\S+) de (?P<who>.+)")
    await only(world, [group("any", asks("subject contains", "commande"), invoice)], template=TEMPLATE)
    world.arrives(a_mail(ORDER, "Bonjour"))
    await world.settle()
    assert sent(world) == [{"ref": None, "who": "De ", "subject": ORDER, "fixed": [1]}]


async def test_a_retry_sends_the_same_bytes_although_the_rule_changed_meanwhile(world: World) -> None:
    await only(world, [CAPTURES], template=TEMPLATE)
    world.sink.answers.append(Answer(status=503))
    world.arrives(a_mail(ORDER, "Bonjour"))
    await world.settle()
    await change(world, template='{"other": "{{subject}}"}', conditions=Group(items=(LINK,)))
    world.clock.pass_(hours=1)
    await world.settle()
    first, second = world.sink.seen
    assert first.body == second.body
    assert first.json["ref"] == "B-42"
    assert (await world.one(Delivery)).state is DeliveryState.SENT


async def test_a_delivery_keeps_to_the_version_that_made_it(world: World) -> None:
    await only(world, [CAPTURES], template=TEMPLATE, policy={"before": "hold", "after": "hold"})
    await world.set(window_start="18h00", window_end="19h00")
    world.arrives(a_mail(ORDER, "Bonjour"))
    await world.settle()
    assert (await world.one(Delivery)).state is DeliveryState.HELD
    await change(world, template='{"other": "{{subject}}"}')
    world.clock.pass_(hours=4, minutes=30)
    await world.settle()
    assert [body["who"] for body in sent(world)] == ["De Zoé Ménard"]


async def test_without_a_template_the_usual_body_goes(world: World) -> None:
    await only(world, [CAPTURES])
    world.arrives(a_mail(ORDER, "Bonjour"))
    await world.settle()
    (body,) = sent(world)
    assert (body["subject"], "captures" in body) == (ORDER, False)


def to_the_list() -> bytes:
    head = (
        b"From: Ann <ann@example.com>\r\nTo: Desk <desk@example.org>, bob@example.org\r\n"
        b'Cc: "Zo\xc3\xa9, Eve" <EVE@example.org>\r\nSubject: Liste\r\nMessage-ID: <list@example.com>\r\n'
        b"List-Id: =?utf-8?q?Les_=C3=A9quipes?= <teams.example.org>\r\nX-Tag: one\r\nX-Tag: two\r\n"
    )
    return head + b"Content-Type: text/plain; charset=utf-8\r\n\r\nBonjour\r\n"


async def test_conditions_are_asked_of_the_mail_as_it_came(world: World) -> None:
    asked: dict[Condition | Group, bool] = {
        asks("recipient equals", "desk@example.org"): True,
        asks("recipient equals", "eve@example.org"): True,
        asks("recipient contains", "zoé"): False,  # a name is no address
        asks("recipient not ends", "@example.org"): False,
        asks("list-id contains", "LES EQUIPES"): True,
        asks("list-id present"): True,
        asks("x-tag equals", "two"): True,
        asks("x-tag one_of", "three", "four"): False,
        asks("x-spam present"): False,
        asks("x-spam not present"): True,
        asks("sender equals", "ann@example.com"): True,
        asks("mailbox equals", world.user): True,
        asks("mailbox equals", "another"): False,
        asks("attachment not present"): True,
        asks("size smaller", "0.01"): True,
        group("any", asks("subject equals", "rien"), asks("text starts", "bonjour")): True,
        group("not any", asks("subject equals", "liste")): False,
    }
    await only(world, *([condition] for condition in asked))
    world.arrives(to_the_list())
    await world.settle()
    decisions = await world.rows(Decision)
    assert dict(zip(asked, [decision.matched for decision in decisions], strict=True)) == asked
    assert all(decision.steps[0]["facts"]["saw"] for decision in decisions[:8])
    assert len(await world.rows(Delivery)) == sum(asked.values())


async def test_a_priority_of_the_rule_is_that_of_its_deliveries(world: World) -> None:
    await only(world, [asks("subject contains", "bonjour")], priority="high")
    world.arrives(a_mail("Bonjour", "rien"))
    await world.settle()
    assert (await world.one(Delivery)).priority == 0


async def test_a_rule_that_gets_a_receiver_sends_what_another_rule_has_sent_already(world: World) -> None:
    subject = asks("subject contains", "commande")
    await only(world, [subject], [subject])
    async with world.context.database.transaction() as db:
        (_, first), (_, second) = [pair for pair in await Rule.listed(db) if pair[0].active]
        first.endpoint_ids = []
        db.add(first)
    world.arrives(a_mail(ORDER, "Bonjour"))
    await world.settle()
    assert len(sent(world)) == 1
    async with world.context.database.transaction() as db:
        (rule, first), _ = [pair for pair in await Rule.listed(db) if pair[0].active]
        value = replace(first.as_value(), endpoint_ids=tuple(second.endpoint_ids))
        await amend.save(db, rule, value, by="ada", now=world.clock())
    await world.settle()
    assert len(sent(world)) == 2
    message = await world.one(Message)
    assert (message.state, message.verdict, message.expected_deliveries) == ("decided", "deliver", 2)
    assert {decision.verdict for decision in await world.rows(Decision)} == {"deliver"}
    await world.settle()
    assert len(sent(world)) == 2
