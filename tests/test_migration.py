"""A database of the first release becomes one of today, and the program reads it."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, text
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.body import compose
from app.jobs.stored import kept, parsed_mail
from app.migrate import upgrade
from app.models import (
    Database,
    Decision,
    Delivery,
    DeliveryState,
    Message,
    Raw,
    Rule,
    RuleVersion,
    Run,
    Sending,
    Setting,
)
from app.models.invariants import broken_invariants
from app.rules.decide import decide
from app.rules.draft import read
from app.rules.mail import Mail
from app.rules.rule import Action, Policy
from app.rules.rule import Rule as RuleValue
from app.rules.settings import Settings
from app.rules.verdict import Reason
from app.rules.words import say
from tests.first_release import Answer, fill, with_engine
from tests.rules.cast import DESABO, LINKS, LOT_42, MISSION, MONDAY, OFFER, RECADRAGE, a_mail, preset

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the first release with a row in each of its tables."""
    path = f"sqlite+aiosqlite:///{tmp_path / 'old.db'}"
    url: str = path if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    upgrade(url, "0001")
    with_engine(url, fill)
    return url


def contents(engine: Engine, tables: MetaData) -> Rows:
    with engine.connect() as connection:
        return {
            name: [
                dict(row)
                for row in connection.execute(table.select().order_by(*table.primary_key)).mappings()
            ]
            for name, table in tables.tables.items()
            if name != "alembic_version"
        }


def asked(url: str, ask: Callable[[AsyncSession], Coroutine[Any, Any, Answer]]) -> Answer:
    """Bring the database up to date and ask it, as the program does."""
    upgrade(url)

    async def reading() -> Answer:
        database = Database(url)
        try:
            async with database.reading() as db:
                return await ask(db)
        finally:
            await database.aclose()

    return asyncio.run(reading())


def test_nothing_is_lost(url: str) -> None:
    before = with_engine(url, contents)
    assert all(before.values())
    upgrade(url)
    after = with_engine(url, contents)
    assert {name: len(rows) for name, rows in after.items() if rows} == {
        name: len(rows) for name, rows in before.items()
    }
    renamed = {"listed": "total", "stored": "done"}
    for name, rows in before.items():
        for old, new in zip(rows, after[name], strict=True):
            kept = {renamed.get(key, key): value for key, value in old.items()}
            replaced = kept.keys() & {"definition", "sending_enabled", "single_use"}
            assert {key: new[key] for key in kept.keys() - replaced} == {
                key: kept[key] for key in kept.keys() - replaced
            }


def test_what_points_to_a_row_still_does(url: str) -> None:
    upgrade(url)
    if url.startswith("sqlite"):
        with_engine(url, _check_sqlite)

    def keys(_: Engine, tables: MetaData) -> set[str]:
        found = (key for table in tables.tables.values() for key in table.foreign_keys)
        return {f"{key.parent} -> {key.target_fullname}" for key in found}

    wanted = {
        f"{key.parent} -> {key.target_fullname}"
        for table in SQLModel.metadata.tables.values()
        for key in table.foreign_keys
    }
    assert with_engine(url, keys) == wanted


def _check_sqlite(engine: Engine, _: MetaData) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        assert connection.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]


def test_the_rules_mean_what_they_meant(url: str) -> None:
    rules = asked(url, Rule.in_force)
    assert [(rule.id, rule.version_id, rule.name) for rule in rules] == [
        (1, 2, "Recadrage"),
        (2, 3, "DESABO"),
        (3, 4, "Liens"),
        (4, 5, "Tout"),
    ]
    recadrage, desabo, links, _ = rules
    assert facts(recadrage) == facts(preset(0))
    assert facts(desabo) == facts(preset(1, exclude_keywords=["promo"], forbidden_terms=["annulation"]))
    assert facts(links) == facts(LINKS)
    assert (desabo.policy, desabo.urgent_policy) == (Policy(before=Action.SEND, after=Action.DROP), Policy())
    for mail, wanted in (
        (a_mail(LOT_42, MISSION), [True, False, True, True]),
        (a_mail("Lots", OFFER), [False, True, False, True]),
        (a_mail("Fichiers", "https://fromsmash.com/abc"), [False, False, True, True]),
        (a_mail("Bonjour", "rien"), [False, False, False, True]),
    ):
        assert [matches(rule, mail) for rule in rules] == wanted
        assert [matches(rule, mail) for rule in (RECADRAGE, DESABO, LINKS)] == wanted[:3]


def facts(rule: RuleValue) -> dict[str, Any]:
    return {**rule.definition(), "endpoint_ids": [1]}


def matches(rule: RuleValue, mail: Mail) -> bool:
    (outcome,) = decide(mail=mail, rules=[rule], settings=Settings(), marks={}, now=MONDAY).outcomes
    return outcome.matched


def test_every_version_can_be_written_again(url: str) -> None:
    async def versions(db: AsyncSession) -> list[RuleVersion]:
        return list((await db.exec(select(RuleVersion).order_by(col(RuleVersion.id)))).all())

    kept = asked(url, versions)
    assert [version.name for version in kept] == ["Recadrage", "Recadrage", "DESABO", "Liens", "Tout"]
    assert kept[0].as_value().subject_terms == ("lot",)
    for version in kept:
        raw = {**version.as_value().definition(), "name": version.name, "endpoint_ids": [1]}
        assert read(raw, endpoints=[1], rule_id=version.rule_id, version_id=version.id or 0) == (
            version.as_value(),
            {},
        )


def test_sending_that_was_off_is_paused(url: str) -> None:
    setting = asked(url, Setting.load)
    assert setting.sending is Sending.PAUSED
    assert setting.as_value().sending_enabled is False
    assert (setting.require_attachments, setting.sender_priority) == (False, {})
    assert (setting.window_start, setting.window_end, setting.revision) == ("9h00", "19h00", 0)


def test_sending_that_was_on_goes_on(url: str) -> None:
    def on(engine: Engine, tables: MetaData) -> None:
        with engine.begin() as connection:
            connection.execute(tables.tables["setting"].update().values(sending_enabled=True))

    with_engine(url, on)
    assert asked(url, Setting.load).sending is Sending.ON


def test_what_waits_still_says_what_it_said(url: str) -> None:
    async def bodies(db: AsyncSession) -> list[tuple[DeliveryState, int, dict[str, Any]]]:
        query = (
            select(Delivery, Message, Raw, RuleVersion)
            .join(Message, col(Message.id) == Delivery.message_id)
            .join(Raw, col(Raw.message_id) == Delivery.message_id)
            .join(RuleVersion, col(RuleVersion.id) == Delivery.rule_version_id)
            .order_by(col(Delivery.id))
        )
        return [
            (
                delivery.state,
                delivery.priority,
                compose(
                    message,
                    plain=raw.plain or "",
                    html="",
                    facts=delivery.facts,
                    form=version.as_value().template,
                ),
            )
            for delivery, message, raw, version in (await db.exec(query)).all()
        ]

    found = asked(url, bodies)
    assert [(state, priority) for state, priority, _ in found] == [("held", 1), ("pending", 1), ("sent", 1)]
    assert {body["first_direct_download_url"] for *_, body in found} == {"https://fromsmash.com/abc"}


def test_the_history_can_still_be_read(url: str) -> None:
    async def steps(db: AsyncSession) -> list[Reason]:
        decisions = (await db.exec(select(Decision))).all()
        return [Reason.from_json(step) for decision in decisions for step in decision.steps]

    said = {say(reason) for reason in asked(url, steps)}
    assert said == {
        "No mail with a delivery link: missing a delivery link",
        "Delivery links found: 1",
        "Sending is paused; this rule holds such mail",
    }


def test_what_was_kept_of_a_mail_can_be_judged_again(url: str) -> None:
    async def again(db: AsyncSession) -> list[bool]:
        rules, found = await Rule.in_force(db), await db.exec(select(Message, Raw).join(Raw))
        mails = [parsed_mail(message, kept(message, raw), "ada") for message, raw in found.all()]
        return [matches(rules[2], mail) for mail in mails]

    assert asked(url, again) == [True, True, True]


def test_a_run_keeps_its_numbers(url: str) -> None:
    async def runs(db: AsyncSession) -> Run:
        return (await db.exec(select(Run))).one()

    run = asked(url, runs)
    assert (run.total, run.done, run.cancelled, run.details) == (12, 5, False, {})


def test_the_invariants_hold(url: str) -> None:
    assert asked(url, broken_invariants) == {"I1": 0, "I2": 0, "I3": 0}
