"""The routing rules for programs, in the predecessor's shape."""

from typing import Any

import httpx2
import pytest
from sqlmodel import col, select

from app.models import Endpoint, Rule, RuleVersion
from app.rules.condition import Condition, Field, Group, Operator
from app.rules.rule import Priority
from app.rules.rule import Rule as RuleValue
from tests.views.cast import Cast
from tests.web.client import Site

URL = "/api/routing_rules"
ARCHIVE, BILLS = "https://archive.example.com/in", "https://bills.example.com/in"


def rule(name: str, word: str, url: str, **actions: Any) -> dict[str, Any]:  # noqa: ANN401 - as a program sends it
    return {
        "id": name.lower(),
        "name": name,
        "conditions": [{"field": "subject", "operator": "contains", "value": word, "case_sensitive": False}],
        "actions": {"webhook_url": url, "priority": "normal", "stop_processing": False} | actions,
    }


FACTURES = rule("Factures", "facture", BILLS, stop_processing=True)
LOTS = rule("Lots", "lot", ARCHIVE, priority="high")


async def sent(browser: httpx2.AsyncClient, *rules: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await browser.post(URL, json={"rules": list(rules)})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["success"], answer.json()["message"]) == (True, "Routing rules saved.")
    stored: list[dict[str, Any]] = (await browser.get(URL)).json()["config"]["rules"]
    assert stored == answer.json()["config"]["rules"]
    return stored


async def in_force(site: Site) -> list[RuleValue]:
    async with site.database.reading() as db:
        return await Rule.in_force(db)


async def versions(site: Site) -> int:
    async with site.database.reading() as db:
        return len((await db.exec(select(RuleVersion))).all())


@pytest.fixture
async def connected(site: Site, cast: Cast) -> Cast:
    """The three rules of an empty database deliver to the first receiver."""
    async with site.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.endpoint_ids = [cast.endpoints[0].id or 0]
    return cast


async def test_while_there_is_none_three_to_begin_with_are_told(
    ada: httpx2.AsyncClient, connected: Cast
) -> None:
    answer = (await ada.get(URL)).json()
    assert answer["config"] == {"rules": [], "_updated_at": None}
    assert len(answer["fallback_rules"]) == 3
    assert answer["fallback_rule"] == answer["fallback_rules"][0]
    urls = {one["actions"]["webhook_url"] for one in answer["fallback_rules"]}
    assert urls == {connected.endpoints[0].url}
    assert await sent(ada, *answer["fallback_rules"]) == answer["fallback_rules"]
    assert "fallback_rules" not in (await ada.get(URL)).json()


async def test_rules_to_begin_with_ask_for_the_senders_of_ones_mailboxes(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        for mailbox, sender in zip(cast.mailboxes, ("ann@example.com", "bob@example.com"), strict=True):
            (await db.merge(mailbox)).senders = [sender]
    first = (await ada.get(URL)).json()["fallback_rule"]["conditions"][0]
    assert (first["field"], first["operator"]) == ("sender", "regex")
    assert "ann" in first["value"]
    assert "bob" in first["value"]


@pytest.mark.usefixtures("connected")
async def test_rules_come_back_as_they_were_sent(ada: httpx2.AsyncClient) -> None:
    assert await sent(ada, FACTURES, LOTS) == [FACTURES, LOTS]
    assert (await ada.get(URL)).json()["config"]["_updated_at"]


async def test_they_stand_before_the_others_and_end_the_search(
    ada: httpx2.AsyncClient, site: Site, connected: Cast
) -> None:
    await sent(ada, LOTS, FACTURES)
    found = await in_force(site)
    assert [one.name for one in found[:2]] == ["Lots", "Factures"]
    assert len(found) == 5
    assert [one.stop for one in found[:2]] == [True, True]
    assert found[0].priority is Priority.HIGH
    await sent(ada, FACTURES, LOTS)
    assert [one.name for one in (await in_force(site))[:2]] == ["Factures", "Lots"]
    assert len(connected.rules) == 3


async def test_receivers_are_connected_and_the_usual_one_gets_what_does_not_stop(
    ada: httpx2.AsyncClient, site: Site, connected: Cast
) -> None:
    usual = connected.endpoints[0]
    same = rule("Same", "x", usual.url)
    await sent(ada, FACTURES, LOTS, same)
    async with site.database.reading() as db:
        endpoints = (await db.exec(select(Endpoint).order_by(col(Endpoint.id)))).all()
    ids = {endpoint.url: endpoint.id for endpoint in endpoints}
    assert [endpoint.name for endpoint in endpoints] == [
        *("studio", "planning", "bills.example.com", "archive.example.com")
    ]
    assert len({endpoint.secret for endpoint in endpoints[2:]}) == 2
    found = await in_force(site)
    assert [one.endpoint_ids for one in found[:3]] == [
        (ids[BILLS],),
        (ids[ARCHIVE], usual.id),
        (usual.id,),
    ]
    assert {one.endpoint_ids for one in found[3:]} == {(usual.id,)}  # nobody else delivers to the new ones


async def test_without_a_usual_receiver_each_goes_to_its_own(ada: httpx2.AsyncClient, site: Site) -> None:
    assert await sent(ada, LOTS) == [LOTS]
    assert await sent(ada, LOTS, rule("More", "x", ARCHIVE)) == [LOTS, rule("More", "x", ARCHIVE)]
    assert {one.endpoint_ids for one in (await in_force(site))[:2]} == {(1,)}


@pytest.mark.usefixtures("connected")
async def test_two_receivers_on_one_host_have_two_names(ada: httpx2.AsyncClient, site: Site) -> None:
    await sent(ada, rule("A", "a", f"{BILLS}/a"), rule("B", "b", f"{BILLS}/b"), rule("C", "c", f"{BILLS}/c"))
    async with site.database.reading() as db:
        names = (await db.exec(select(Endpoint.name).order_by(col(Endpoint.id)))).all()
    assert names[2:] == ["bills.example.com", "bills.example.com (2)", "bills.example.com (3)"]


@pytest.mark.usefixtures("connected")
async def test_only_what_changed_gets_a_new_version(ada: httpx2.AsyncClient, site: Site) -> None:
    await sent(ada, FACTURES, LOTS)
    before = await versions(site)
    await sent(ada, FACTURES, LOTS)
    assert await versions(site) == before
    await sent(ada, LOTS, FACTURES | {"name": "Bills"})
    assert await versions(site) == before + 1
    async with site.database.reading() as db:
        newest = (await db.exec(select(RuleVersion).order_by(col(RuleVersion.id).desc()))).first()
    assert newest is not None
    assert (newest.name, newest.number, newest.created_by) == ("Bills", 2, "ada")


@pytest.mark.usefixtures("connected")
async def test_what_is_no_longer_sent_rests_and_comes_back(ada: httpx2.AsyncClient, site: Site) -> None:
    await sent(ada, FACTURES, LOTS)
    assert await sent(ada, LOTS) == [LOTS]
    async with site.database.reading() as db:
        gone = (await db.exec(select(Rule).where(Rule.external_id == "factures"))).one()
    assert (gone.active, gone.archived_at is not None) == (False, True)
    assert "Factures" not in {one.name for one in await in_force(site)}
    assert await sent(ada, FACTURES, LOTS) == [FACTURES, LOTS]
    async with site.database.reading() as db:
        again = (await db.exec(select(Rule).where(Rule.external_id == "factures"))).one()
    assert (again.id, again.active, again.archived_at, again.version) == (gone.id, True, None, 1)
    assert await sent(ada) == []
    assert len(await in_force(site)) == 3


async def edit(site: Site, external_id: str, **changes: Any) -> None:  # noqa: ANN401 - a rule's fields
    """Save a rule of a program's as an operator does on its page."""
    async with site.database.transaction() as db:
        found = (await db.exec(select(Rule).where(Rule.external_id == external_id))).one()
        version = await found.in_version(db, found.version)
        assert version
        value = version.as_value()
        found.save(db, type(value)(**{**_fields(value), **changes}), by="bob", now=site.clock())


def _fields(value: RuleValue) -> dict[str, Any]:
    return {name: getattr(value, name) for name in RuleValue.__slots__}


@pytest.mark.usefixtures("connected")
async def test_what_an_operator_added_stays(ada: httpx2.AsyncClient, site: Site) -> None:
    await sent(ada, LOTS, FACTURES)
    await edit(site, "lots", exclude_keywords=("test",), links_required=True)
    await edit(site, "factures", priority=Priority.LOW)
    before = await versions(site)
    await sent(ada, LOTS, FACTURES)
    assert await versions(site) == before
    await sent(ada, LOTS | {"name": "Les lots"}, FACTURES)
    first, second = (await in_force(site))[:2]
    assert (first.name, first.exclude_keywords, first.links_required) == ("Les lots", ("test",), True)
    assert second.priority is Priority.LOW


@pytest.mark.usefixtures("connected")
async def test_a_rule_that_was_taken_beyond_the_shape_is_left_alone(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    await sent(ada, FACTURES, LOTS)
    with_files = Group(items=(Condition(field=Field.ATTACHMENT, operator=Operator.PRESENT),))
    await edit(site, "factures", conditions=with_files)
    assert (await ada.get(URL)).json()["config"]["rules"] == [LOTS]
    assert await sent(ada, LOTS) == [LOTS]
    assert "Factures" in {one.name for one in await in_force(site)}
    assert await sent(ada, FACTURES) == [FACTURES]  # who sends it again has it again


@pytest.mark.usefixtures("connected")
async def test_one_mistake_and_nothing_is_saved(ada: httpx2.AsyncClient, site: Site) -> None:
    await sent(ada, LOTS)
    wrong = rule("Wrong", " ", BILLS)
    answer = await ada.post(URL, json={"rules": [FACTURES, wrong]})
    assert answer.status_code == 400
    assert answer.json() == {"success": False, "message": "Rule 2: Say what to look for"}
    assert (await ada.get(URL)).json()["config"]["rules"] == [LOTS]
    async with site.database.reading() as db:
        assert (await db.exec(select(Endpoint).where(Endpoint.url == BILLS))).first() is None
    assert (await ada.post(URL, json={})).json()["message"] == "“rules” must be a list"


async def test_a_long_list_is_taken(ada: httpx2.AsyncClient, site: Site) -> None:
    many = [rule(f"R{number}", "x" * 400, ARCHIVE) for number in range(200)]
    assert len(await sent(ada, *many)) == 200
    assert len(await in_force(site)) == 203


@pytest.mark.parametrize(
    "url", ["https://a:99999/", "https://user:word@bills.example.com/", "https://10.0.0.1/"]
)
async def test_an_address_to_which_nothing_can_be_sent_is_refused(ada: httpx2.AsyncClient, url: str) -> None:
    answer = await ada.post(URL, json={"rules": [LOTS, rule("Bills", "facture", url)]})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Rule 2: The address is")


@pytest.mark.usefixtures("connected")
async def test_what_an_operator_added_must_still_fit(ada: httpx2.AsyncClient, site: Site) -> None:
    pattern = rule("Bills", "", BILLS) | {
        "conditions": [{"field": "subject", "operator": "regex", "value": r"facture (?P<n>\d+)"}]
    }
    await sent(ada, pattern)
    await edit(site, "bills", template='{"number": "{{captures.n}}"}')
    answer = await ada.post(URL, json={"rules": [rule("Bills", "facture", BILLS)]})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Rule 1: No pattern of this rule catches")
