"""What a start of the demo does to the database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from app.config import FirstRun
from app.demo.rows import look, secrets_of_receiver, write
from app.demo_ports import HOST, Ports
from app.jobs.seed import add_endpoint, new_endpoint, prepare
from app.models import Database, Endpoint, EndpointState, Mailbox, Rule, RuleVersion, Setting
from app.ready import CannotStart
from app.rules import playing
from app.vault import Vault

NOW = datetime(2026, 11, 22, 13, 12, tzinfo=UTC)
VAULT = Vault("a key for tests")
PLACES = Ports(imap=40001, receiver=40002)


async def start(database: Database, *, places: Ports = PLACES, now: datetime = NOW) -> str:
    _, password = await look(database, VAULT)
    await write(database, VAULT, places=places, password=password, now=now)
    return password


async def test_a_first_start_makes_the_rows(prepared: Database) -> None:
    password = await start(prepared)
    async with prepared.reading() as db:
        setting = await Setting.load(db)
        [mailbox], [endpoint] = (
            (await db.exec(select(Mailbox))).all(),
            (await db.exec(select(Endpoint))).all(),
        )
        rules = await Rule.in_force(db)

    assert (setting.demo, setting.polling_interval, setting.saved_by) == (True, 2, "demo")
    assert (mailbox.demo, mailbox.host, mailbox.port, mailbox.tls) == (True, HOST, 40001, False)
    assert VAULT.open(mailbox.password) == password
    assert len(password) > 20
    assert (endpoint.demo, endpoint.url) == (True, "http://127.0.0.1:40002/hook")
    assert [rule.endpoint_ids for rule in rules] == [(endpoint.id,)] * 3
    assert await secrets_of_receiver(prepared, VAULT, NOW) == [VAULT.open(endpoint.secret)]


async def test_a_later_start_changes_the_addresses_and_nothing_else(prepared: Database) -> None:
    password = await start(prepared)
    before = await dump(prepared)
    assert await start(prepared) == password
    same = await dump(prepared)
    await start(prepared, places=Ports(imap=40003, receiver=40004), now=NOW + timedelta(minutes=1))
    after = await dump(prepared)

    assert differences(before, same) == {("Mailbox", "password")}, "sealed anew"
    assert differences(before, after) == {
        ("Mailbox", "password"),
        ("Mailbox", "port"),
        ("Mailbox", "poll_at"),
        ("Endpoint", "url"),
    }


async def test_another_key_gives_the_mailbox_another_password(prepared: Database) -> None:
    password = await start(prepared)
    _, other = await look(prepared, Vault("another key"))
    assert other != password


async def test_what_an_operator_saved_is_left_alone(prepared: Database) -> None:
    async with prepared.transaction() as db:
        setting = await Setting.load(db)
        setting.saved_by, setting.polling_interval = "ada", 45
        version = (await db.exec(select(RuleVersion).where(RuleVersion.rule_id == 1))).one()
        version.definition = {**version.definition, "exclude_keywords": ["essai"]}
    await start(prepared)
    async with prepared.reading() as db:
        setting = await Setting.load(db)
        recadrage = (await Rule.in_force(db))[0]

    assert (setting.demo, setting.polling_interval, setting.window_start) == (True, 45, "")
    assert recadrage.policy.before == "drop"


async def test_the_demos_own_window_moves_on_whatever_else_was_saved(prepared: Database) -> None:
    await start(prepared)
    async with prepared.transaction() as db:
        (await Setting.load(db)).change({"window_start": "02h00", "window_end": "03h00"}, by="ada", now=NOW)
    await start(prepared)
    async with prepared.reading() as db:
        setting = await Setting.load(db)
    assert (setting.window_start, setting.window_end) == playing.window(NOW.astimezone(setting.tz).hour)
    assert setting.saved_by == "ada"


async def test_sample_mails_never_go_to_a_receiver_of_ones_own(prepared: Database) -> None:
    await start(prepared)
    async with prepared.transaction() as db:  # what WEBHOOK_URL does, read at the next start
        own = new_endpoint("own", "https://hooks.example.org/", VAULT, NOW)
        await add_endpoint(db, own, by="environment", now=NOW)
    await start(prepared)
    async with prepared.reading() as db:
        [demo] = (await db.exec(select(Endpoint).where(Endpoint.demo))).all()
        rules = await Rule.in_force(db)
    assert [rule.endpoint_ids for rule in rules] == [(demo.id,)] * 3


async def test_a_mailbox_of_ones_own_keeps_the_demo_away_and_its_end_brings_it_back(
    prepared: Database,
) -> None:
    await start(prepared)
    own = FirstRun.load(
        email_address="ops@example.org", email_password="secret", imap_server="imap.example.org"
    )
    await prepare(prepared, own, VAULT, NOW)
    with pytest.raises(CannotStart, match="the demo is refused: the mailbox ops@example"):
        await start(prepared)
    with pytest.raises(CannotStart):
        await write(prepared, VAULT, places=PLACES, password="x", now=NOW)

    async with prepared.transaction() as db:
        await db.delete((await db.exec(select(Mailbox).where(col(Mailbox.demo).is_(False)))).one())
    await start(prepared)
    async with prepared.reading() as db:
        assert (await Setting.load(db)).demo
        assert (await db.exec(select(Mailbox.active))).all() == [True]
        assert (await db.exec(select(Endpoint.state))).all() == [EndpointState.ACTIVE]


async def test_an_empty_database_is_named(database: Database) -> None:
    with pytest.raises(CannotStart, match="run `signal-server migrate` first"):
        await look(database, VAULT)


async def dump(database: Database) -> dict[tuple[str, int], dict[str, object]]:
    tables = (Mailbox, Endpoint, Setting, Rule, RuleVersion)
    async with database.reading() as db:
        rows = [row for table in tables for row in (await db.exec(select(table))).all()]
    return {(type(row).__name__, row.model_dump()["id"]): row.model_dump() for row in rows}


def differences(
    before: dict[tuple[str, int], dict[str, object]], after: dict[tuple[str, int], dict[str, object]]
) -> set[tuple[str, str]]:
    assert before.keys() == after.keys()
    return {(key[0], name) for key in before for name in before[key] if before[key][name] != after[key][name]}
