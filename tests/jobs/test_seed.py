"""An empty database starts with three rules, and with the environment's mailbox and receiver."""

from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlmodel import select

from app.config import ConfigError, FirstRun
from app.demo.rows import look, write
from app.demo_ports import Ports
from app.jobs.seed import new_endpoint, prepare
from app.models import Database, Endpoint, EndpointState, FirstContact, Mailbox, Rule, RuleVersion, Setting
from app.vault import Vault
from tests.jobs.conftest import Clock

VAULT = Vault("a key for tests only")
OWN = FirstRun(
    email_address="ops",
    email_password=SecretStr("secret"),
    imap_server="imap.example.com",
    sender_of_interest_for_polling=("Boss@Example.com",),
    webhook_url="https://hook.example.com/in",
    webhooks_time_start="9h",
    webhooks_time_end="19h30",
    polling_active_days=("0", "4"),
    email_polling_interval_seconds=15,
    dashboard_user="ada",
    dashboard_password=SecretStr("a long password"),
)


async def _prepared(database: Database, first_run: FirstRun) -> None:
    await prepare(database, first_run, VAULT, Clock()())


async def test_an_empty_environment_gives_three_rules_that_have_no_receiver_yet(database: Database) -> None:
    await _prepared(database, FirstRun())
    async with database.reading() as db:
        rules = (await db.exec(select(Rule).order_by(Rule.position))).all()  # type: ignore[arg-type]
        versions = (await db.exec(select(RuleVersion))).all()
    assert [rule.name for rule in rules] == ["Recadrage", "DESABO", "Any other mail with a delivery link"]
    assert all(version.endpoint_ids == [] for version in versions)


async def test_the_predecessors_variables_are_taken_over(database: Database) -> None:
    await _prepared(database, OWN)
    async with database.reading() as db:
        mailbox = (await db.exec(select(Mailbox))).one()
        endpoint = (await db.exec(select(Endpoint))).one()
        setting = await Setting.load(db)
        rules = await Rule.in_force(db)
    assert (mailbox.senders, mailbox.first_contact) == (["boss@example.com"], FirstContact.UNSEEN)
    assert (setting.window_start, setting.window_end) == ("9h00", "19h30")
    assert (setting.polling_days, setting.polling_interval, setting.username) == ([0, 4], 15, "ada")
    assert all(rule.endpoint_ids == (endpoint.id,) for rule in rules)
    assert b"secret" not in mailbox.password


async def test_what_was_typed_wrong_is_mended_by_another_start(database: Database) -> None:
    await _prepared(database, OWN.model_copy(update={"imap_server": "imop.example.com"}))
    await _prepared(database, OWN.model_copy(update={"webhook_url": "https://hook.example.com/other"}))
    async with database.reading() as db:
        assert (await db.exec(select(Mailbox.host))).all() == ["imap.example.com"]
        assert (await db.exec(select(Endpoint.url))).all() == ["https://hook.example.com/other"]


async def test_once_the_mailbox_answered_and_the_receiver_took_something_a_start_changes_nothing(
    database: Database,
) -> None:
    await _prepared(database, OWN)
    async with database.transaction() as db:
        (await db.exec(select(Mailbox))).one().answered_at = Clock()()
        (await db.exec(select(Endpoint))).one().succeeded_at = Clock()()
    await _prepared(
        database,
        OWN.model_copy(
            update={
                "email_address": "other",
                "webhook_url": "https://other.example.com",
                "webhooks_time_start": "7h",
            }
        ),
    )
    async with database.reading() as db:
        assert (await db.exec(select(Mailbox.username))).all() == ["ops"]
        assert (await db.exec(select(Endpoint.url))).all() == ["https://hook.example.com/in"]
        assert (await Setting.load(db)).window_start == "9h00"


async def test_what_somebody_saved_in_the_form_a_start_leaves_alone(database: Database) -> None:
    await _prepared(database, OWN)
    async with database.transaction() as db:
        endpoint = await db.get_one(Endpoint, 1)
        endpoint.url, endpoint.saved_by = "https://hook.example.com/mended", "ada"
    await _prepared(database, OWN)
    async with database.reading() as db:
        assert (await db.get_one(Endpoint, 1)).url == "https://hook.example.com/mended"


@pytest.mark.parametrize(
    ("variable", "changes"),
    [
        ("WEBHOOKS_TIME_START", {"webhooks_time_start": "25h"}),
        ("WEBHOOK_URL", {"webhook_url": "hook.example.com"}),
        ("WEBHOOK_URL", {"webhook_url": "https://[x"}),
    ],
)
async def test_a_malformed_variable_is_named_and_nothing_is_kept(
    database: Database, variable: str, changes: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match=variable):
        await _prepared(database, OWN.model_copy(update=changes))
    async with database.reading() as db:
        assert (await db.exec(select(Setting))).all() == []


async def test_what_else_was_saved_keeps_the_demo_from_outliving_itself(database: Database) -> None:
    await _prepared(database, FirstRun())
    await write(database, VAULT, places=Ports(4, 5), password="demo", now=Clock()())
    async with database.transaction() as db:
        (await Setting.load(db)).change({"keep_logs": 30}, by="ada", now=Clock()())
        rule, version = (await Rule.listed(db))[0]
        rule.save(db, replace(version.as_value(), name="Mine"), by="ada", now=Clock()())
        [demo] = (await db.exec(select(Endpoint))).all()
        mine = new_endpoint("mine", "https://mine.example.org/", VAULT, Clock()())
        mine.saved_by = "ada"
        db.add(mine)
    await _prepared(database, OWN)
    async with database.reading() as db:
        setting, rules = await Setting.load(db), await Rule.in_force(db)
    assert (setting.polling_interval, setting.window_start, setting.window_end) == (15, "9h00", "19h30")
    assert (setting.keep_logs, setting.saved_by) == (30, "ada")
    assert rules[0].name == "Mine"
    assert not any(demo.id in rule.endpoint_ids for rule in rules)


async def test_a_window_that_an_operator_chose_in_the_demo_stays(database: Database) -> None:
    await _prepared(database, FirstRun())
    await write(database, VAULT, places=Ports(4, 5), password="demo", now=Clock()())
    async with database.transaction() as db:
        chosen = {"window_start": "7h30", "window_end": "22h00", "polling_interval": 45}
        (await Setting.load(db)).change(chosen, by="ada", now=Clock()())
    await _prepared(database, OWN)
    async with database.reading() as db:
        setting = await Setting.load(db)
    assert (setting.window_start, setting.window_end, setting.polling_interval) == ("7h30", "22h00", 45)


async def test_ones_own_mailbox_ends_the_demo_and_undoes_what_it_set(database: Database) -> None:
    await _prepared(database, FirstRun())
    await look(database, VAULT)
    await write(database, VAULT, places=Ports(4, 5), password="demo", now=Clock()())
    await _prepared(database, OWN)
    async with database.reading() as db:
        setting = await Setting.load(db)
        mailboxes = (await db.exec(select(Mailbox).order_by(Mailbox.id))).all()  # type: ignore[arg-type]
        demo, own = (await db.exec(select(Endpoint).order_by(Endpoint.id))).all()  # type: ignore[arg-type]
        rules = await Rule.in_force(db)
    assert (setting.demo, setting.polling_interval, setting.window_start) == (False, 15, "9h00")
    assert [(mailbox.demo, mailbox.active) for mailbox in mailboxes] == [(True, False), (False, True)]
    assert demo.state is EndpointState.PAUSED
    assert all(rule.endpoint_ids == (own.id,) for rule in rules)
    assert rules[0].policy.before == "drop"
