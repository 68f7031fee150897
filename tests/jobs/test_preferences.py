"""Every preference changes what happens to a mail: each test here fails when one has no effect."""

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from sqlmodel import select

from app.jobs import notices
from app.jobs.notify import notify
from app.jobs.preferences import save
from app.models import (
    Decision,
    Delivery,
    DeliveryState,
    Endpoint,
    Mailbox,
    Message,
    MessageState,
    RuleVersion,
)
from app.rules.preferences import read
from app.rules.verdict import Reason, Verdict
from tests.jobs.conftest import World
from tests.letters import a_mail, desabo, matching, with_link
from tests.servers import MailHost
from tests.servers.sink import Answer


async def prefer(world: World, **wanted: Any) -> None:  # noqa: ANN401 - as a program sends them
    values, problems = read(wanted)
    assert not problems
    async with world.context.database.transaction() as db:
        assert await save(db, values, by="ada", now=world.clock()) is None


def with_attachment() -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = "ann@example.com", "Fichiers", "<file@example.com>"
    mail.set_content("Voici : https://fromsmash.com/file1")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="lot.pdf")
    return bytes(mail)


async def verdicts(world: World) -> dict[str, tuple[str, str]]:
    """What became of each mail, and why, by its subject."""
    rows = await world.rows(Message)
    return {row.subject: (str(row.verdict), (row.reason or {}).get("code", "")) for row in rows}


async def test_an_excluded_keyword_makes_a_mail_ignored_whatever_its_accents(world: World) -> None:
    await prefer(world, exclude_keywords=["DÉVIS"])
    world.arrives(
        a_mail("Devis", "https://fromsmash.com/a1"), a_mail("Livraison", "https://fromsmash.com/a2")
    )
    await world.settle()
    assert await verdicts(world) == {
        "Devis": (Verdict.IGNORE, "exclude_keyword"),
        "Livraison": (Verdict.DELIVER, "rule_sends"),
    }


async def test_a_keyword_of_recadrage_excludes_missions_alone(world: World) -> None:
    await prefer(world, exclude_keywords_recadrage=["bonjour"])
    world.arrives(matching(7), a_mail("Fichiers", "Bonjour : https://fromsmash.com/b1"))
    await world.settle()
    rules = {decision.rule_id: decision for decision in await world.rows(Decision) if decision.matched}
    assert list(rules) == [3]  # any other mail with a delivery link
    assert [seen.json.get("detector") for seen in world.sink.seen] == [None, None]


async def test_a_keyword_of_the_autoresponder_excludes_offers_alone(world: World) -> None:
    await prefer(world, exclude_keywords_autorepondeur=["disponible"])
    world.arrives(desabo(), a_mail("Fichiers", "Disponible : https://fromsmash.com/c1"))
    await world.settle()
    assert [seen.json["subject"] for seen in world.sink.seen] == ["Fichiers"]


async def test_only_mail_with_an_attachment_goes_when_that_is_wanted(world: World) -> None:
    await prefer(world, require_attachments=True)
    world.arrives(a_mail("Sans", "https://fromsmash.com/d1"), with_attachment())
    await world.settle()
    assert await verdicts(world) == {
        "Sans": (Verdict.IGNORE, "no_attachment"),
        "Fichiers": (Verdict.DELIVER, "rule_sends"),
    }


async def test_a_mail_above_the_size_is_not_fetched(world: World) -> None:
    await prefer(world, max_email_size_mb=1)
    world.arrives(a_mail("Gros", "https://fromsmash.com/e1 " + "x" * 80 + "\r\n" * 600_000))
    await world.settle()
    message = await world.one(Message)
    assert (message.state, (message.reason or {})["code"]) == (MessageState.OVERSIZE, "too_large")
    assert world.sink.seen == []


async def test_the_queue_follows_the_priority_of_the_sender(world: World) -> None:
    await prefer(world, sender_priority={"high@example.com": "high", "low@example.com": "low"})
    await world.change(Endpoint, concurrency=1)
    for name in ("low", "plain", "high"):
        world.arrives(a_mail(name, f"https://fromsmash.com/{name}", sender=f"{name}@example.com"))
        await world.poll()
    await world.decide()
    while await world.deliver():
        pass
    assert [seen.json["subject"] for seen in world.sink.seen] == ["high", "plain", "low"]


async def test_a_senders_priority_counts_more_than_the_rules(world: World) -> None:
    async with world.context.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.definition = version.definition | {"priority": "high"}
    await prefer(world, sender_priority={"ann@example.com": "medium"})
    world.arrives(with_link(), a_mail("Autre", "https://fromsmash.com/bob", sender="bob@example.com"))
    await world.settle()
    assert {one.message_id: one.priority for one in await world.rows(Delivery)} == {1: 1, 2: 0}


async def test_tries_are_as_many_and_as_far_apart_as_preferred(world: World) -> None:
    await prefer(world, retry_count=1, retry_delay_sec=100)
    world.sink.default = Answer(status=500)
    world.arrives(with_link())
    await world.settle()
    delivery = await world.one(Delivery)
    assert delivery.state is DeliveryState.PENDING
    wait = delivery.due_at - world.clock()
    assert timedelta(seconds=80) <= wait <= timedelta(seconds=120)
    world.clock.pass_(seconds=120)
    await world.deliver()
    assert (await world.one(Delivery)).state is DeliveryState.FAILED
    assert len(world.sink.seen) == 2


async def test_without_retries_the_first_failure_is_the_last(world: World) -> None:
    await prefer(world, retry_count=0)
    world.sink.default = Answer(status=500)
    world.arrives(with_link())
    await world.settle()
    assert (await world.one(Delivery)).state is DeliveryState.FAILED


async def test_a_receiver_is_waited_for_as_long_as_preferred(world: World) -> None:
    await prefer(world, webhook_timeout_sec=1)
    world.sink.default = Answer.hang()
    world.arrives(with_link())
    await world.settle()
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.PENDING, "timed_out")


async def test_over_the_rate_a_delivery_waits_for_its_hour(world: World) -> None:
    await prefer(world, rate_limit_per_hour=1)
    world.arrives(with_link(), with_link())
    await world.settle()
    await world.deliver()
    states = [delivery.state for delivery in await world.rows(Delivery)]
    assert sorted(states) == [DeliveryState.PENDING, DeliveryState.SENT]
    world.clock.pass_(minutes=61)
    await world.deliver()
    assert len(world.sink.seen) == 2


async def test_with_grouping_off_every_mail_about_the_same_goes(world: World) -> None:
    world.arrives(matching(42))
    await world.settle()
    world.arrives(matching(42))
    await world.settle()
    assert len(world.sink.seen) == 1
    async with world.context.database.transaction() as db:
        await save(db, {"group_dedup": False}, by="ada", now=world.clock())
    world.arrives(matching(42))
    await world.settle()
    assert len(world.sink.seen) == 2


async def test_whoever_is_to_be_told_gets_a_mail_and_nobody_else_does(world: World) -> None:
    with MailHost() as host:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": host.port, "smtp_from": "signal@example.org"}
        config = world.context.config.model_copy(update={**mail, "smtp_tls": "none"})
        context = replace(world.context, config=config)
        for wanted in (True, False, True):
            await prefer(world, notify_on_failure=wanted, notify_to=["ada@example.org"])
            async with world.context.database.transaction() as db:
                mailbox = await db.get_one(Mailbox, 1)
                notices.mailbox_failing(db, mailbox, Reason("auth_failed"), world.clock())
            await notify(context)
            world.clock.pass_(minutes=20)
            await notify(context)
        assert [got.to for got in host.got] == [["ada@example.org"]] * 2


async def test_the_mirror_gets_links_while_that_is_wanted(world: World) -> None:
    async with world.context.database.transaction() as db:
        first = (await db.exec(select(Endpoint))).one()
        mirror = Endpoint(**first.model_dump(exclude={"id"}) | {"name": "mirror"})
        db.add(mirror)
        await db.flush()
        number = mirror.id
    await world.set(mirror_id=number)
    for wanted in (True, False):
        await prefer(world, mirror_media_to_custom=wanted)
        world.arrives(with_link())
        await world.settle()
    assert [one.endpoint_id for one in await world.rows(Delivery)] == [1, number, 1]
