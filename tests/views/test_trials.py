"""A draft is tried from its form: how far it is, what it would change, and what becomes of it."""

import re
from html import unescape

import httpx2
import pytest
from sqlmodel import select
from starlette.datastructures import FormData

from app.jobs.draft import MOST_WAITING
from app.models import Rule, RuleVersion, Run, RunState
from app.views.rule_fields import fields_of
from app.views.rule_form import raw_from
from tests.views.cast import Cast, a_message
from tests.views.trying import DRAFT, judge, try_out
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


async def runs(site: Site) -> list[Run]:
    async with site.database.reading() as db:
        return list((await db.exec(select(Run).where(Run.kind == "trial"))).all())


@pytest.mark.usefixtures("cast")
async def test_a_draft_of_a_new_rule_is_tried_over_a_week(ada: httpx2.AsyncClient, site: Site) -> None:
    assert await try_out(ada) == "/trials/1"
    (run,) = await runs(site)
    assert (run.state, run.requested_by) == (RunState.QUEUED, "ada")
    assert (run.details["days"], run.details["rule_id"]) == (7, None)
    assert run.details["draft"]["name"] == "Newsletters"
    page = (await ada.get("/trials/1")).text
    assert "Waits for its turn" in page
    assert "sse:run-changed" in page


@pytest.mark.usefixtures("cast")
async def test_the_form_of_a_rule_asks_over_which_days_it_is_tried(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    page = (await ada.get("/rules/new")).text
    assert re.findall(r'value="(\d+)"', page.partition('name="days"')[2].partition("</select>")[0]) == [
        "1",
        "7",
        "30",
    ]
    await try_out(ada, days="30")
    assert (await runs(site))[0].details["days"] == 30


@pytest.mark.usefixtures("cast")
async def test_a_draft_that_is_wrong_is_the_form_again_with_the_same_words(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/trials", data=DRAFT | {"name": "", "conditions.0.values": ""})
    assert answer.status_code == 422
    assert "Give it a name" in answer.text
    assert "Say what to look for" in answer.text


@pytest.mark.usefixtures("cast")
async def test_what_it_would_change_stands_in_lists(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    await try_out(ada)
    await judge(site)
    page = (await ada.get("/trials/1")).text
    mail = cast.messages["newsletter"]
    assert re.findall(r'id="result-(\d+)"', page) == [str(mail.id)]
    assert f'href="/messages/{mail.id}"' in page
    assert f'href="/trials/1/messages/{mail.id}"' in page
    assert "Nothing was sent" in page
    assert "sse:run-changed" not in page.partition('id="trial"')[2].partition("</main>")[0]
    assert re.findall(r'id="result-(\d+)"', (await ada.get("/trials/1?show=lost")).text) == []
    assert "too" in (await ada.get("/trials/1?show=lost")).text


async def test_long_lists_come_in_pages(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    async with site.database.transaction() as db:
        for number in range(60):
            await a_message(db, cast, f"Agenda {number}", text="Rien")
    await try_out(ada)
    await judge(site)
    first = (await ada.get("/trials/1?show=gained")).text
    older = re.search(r'href="(\?show=gained&amp;before=\d+)"', first)
    assert older
    second = (await ada.get(f"/trials/1{older[1].replace('&amp;', '&')}")).text
    found = [re.findall(r'id="result-(\d+)"', page) for page in (first, second)]
    assert [len(one) for one in found] == [50, 10]
    assert not set(found[0]) & set(found[1])


@pytest.mark.usefixtures("cast")
async def test_a_trial_is_cancelled_once(ada: httpx2.AsyncClient, site: Site) -> None:
    await try_out(ada)
    answer = await ada.post("/trials/1/cancellation")
    assert (answer.status_code, answer.headers["location"]) == (303, "/trials/1")
    assert (await runs(site))[0].state is RunState.CANCELLED
    assert (await ada.post("/trials/1/cancellation", headers=FRAGMENT)).status_code == 409


@pytest.mark.usefixtures("cast")
async def test_a_trial_under_way_shows_how_far_it_is_and_that_it_will_end(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    await try_out(ada)
    async with site.database.transaction() as db:
        run = await db.get_one(Run, 1)
        run.state, run.total, run.done, run.started_at = RunState.RUNNING, 400, 100, site.clock()
    page = (await ada.get("/trials/1")).text
    assert "100 of 400 mails" in page
    assert "a second, done" in page
    part = (await ada.post("/trials/1/cancellation", headers=FRAGMENT)).text
    assert part.lstrip().startswith('<div id="trial"')
    assert "Ending…" in part


async def test_a_draft_that_was_tried_is_saved_as_it_was(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    rule = cast.rules[2]
    group = {
        "conditions.1.mode": "not_any",
        "conditions.1.0.field": "sender",
        "conditions.1.0.operator": "one_of",
        "conditions.1.0.values": "a@example.com\nb@example.com",
    }
    more = {
        "group": "days",
        "group_days": "3",
        "urgent": "own",
        "urgent_policy.after": "drop",
        "stop": "true",
    }
    texts = {"template": '{"about": "{{subject}}"}', "exclude_keywords": "a, b", "policy.before": "send"}
    await try_out(ada, rule_id=rule.id, version=rule.version, **group, **more, **texts)
    tried = (await runs(site))[0].details["draft"]
    page = (await ada.get("/trials/1")).text
    assert f'action="/rules/{rule.id}/versions"' in page
    assert f'href="/rules/{rule.id}?trial=1"' in page
    answer = await ada.post(f"/rules/{rule.id}/versions", data=hidden(page))
    assert answer.status_code == 303, answer.text
    async with site.database.reading() as db:
        saved = (
            await db.exec(select(RuleVersion).where(RuleVersion.rule_id == rule.id, RuleVersion.number == 2))
        ).one()
        assert (await db.get_one(Rule, rule.id)).version == 2
    assert saved.definition | {"name": saved.name, "endpoint_ids": saved.endpoint_ids} == tried


def hidden(page: str) -> dict[str, list[str]]:
    """The fields that the page would send, as a browser reads them."""
    fields: dict[str, list[str]] = {}
    form = page.partition("Back to editing")[2].partition("</form>")[0]  # of the button that saves
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    found += re.findall(r'<textarea hidden name="([^"]+)">\n(.*?)</textarea>', form, re.DOTALL)
    for name, value in found:
        fields.setdefault(name, []).append(unescape(value))
    return fields


def test_every_field_of_a_draft_is_read_again() -> None:
    raw = raw_from(
        FormData(
            [*DRAFT.items(), ("endpoint_ids", "1"), ("endpoint_ids", "2"), ("exclude_keywords", "a, b\n")]
        )
    )
    assert raw_from(FormData([*fields_of(raw)])) == raw


async def test_a_new_rule_is_saved_among_the_rules(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    await try_out(ada)
    page = (await ada.get("/trials/1")).text
    assert 'href="/rules/new?trial=1"' in page
    assert 'action="/rules"' in page
    assert (await ada.post("/rules", data=hidden(page))).status_code == 303
    async with site.database.reading() as db:
        *_, rule = (await db.exec(select(Rule).order_by(Rule.position))).all()  # type: ignore[arg-type]
    assert rule.name == "Newsletters"
    assert len(cast.rules) == 3


@pytest.mark.usefixtures("cast")
async def test_a_draft_is_saved_as_one_new_rule_however_often_it_is_pressed(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    await try_out(ada)
    fields = hidden((await ada.get("/trials/1")).text)
    made = (await ada.post("/rules", data=fields)).headers["location"]
    again = await ada.post("/rules", data=fields)
    assert again.status_code == 409
    assert "This draft was saved already" in again.text
    page = (await ada.get("/trials/1")).text
    assert f'Saved as the rule <a href="{made}">Newsletters</a>' in page
    assert "Save this draft" not in page
    assert f'href="{made}?trial=1"' in page
    async with site.database.reading() as db:
        assert len((await db.exec(select(Rule))).all()) == 4


async def test_a_rule_that_was_changed_since_may_be_given_the_draft_again(
    ada: httpx2.AsyncClient, cast: Cast
) -> None:
    rule = cast.rules[2]
    await try_out(ada, rule_id=rule.id, version=rule.version)
    assert "Save this draft" in (await ada.get("/trials/1")).text
    await ada.post(f"/rules/{rule.id}/versions", data=hidden((await ada.get("/trials/1")).text))
    assert "Save this draft" not in (await ada.get("/trials/1")).text
    await ada.post(f"/rules/{rule.id}/versions/1/restoration")
    assert "Save this draft" in (await ada.get("/trials/1")).text


@pytest.mark.usefixtures("cast")
async def test_a_trial_is_made_again_over_other_days(ada: httpx2.AsyncClient, site: Site) -> None:
    await try_out(ada)
    await judge(site)
    again = hidden((await ada.get("/trials/1")).text) | {"days": ["300"]}
    assert (await ada.post("/trials", data=again)).headers["location"] == "/trials/2"
    first, second = await runs(site)
    assert second.details["draft"] == first.details["draft"]
    assert second.details["days"] == 90


@pytest.mark.usefixtures("cast")
async def test_what_is_no_trial_is_not_found(ada: httpx2.AsyncClient) -> None:
    await ada.post("/polls")
    assert (await ada.get("/trials/1")).status_code == 404
    assert (await ada.post("/trials/1/cancellation")).status_code == 404
    assert (await ada.get("/trials/1/messages/1")).status_code == 404
    assert (await ada.post("/trials", data=DRAFT | {"rule_id": "999"})).status_code == 404
    tried = await try_out(ada)
    assert (await ada.get(tried.replace("trials", "polls"))).status_code == 404


@pytest.mark.usefixtures("cast")
async def test_only_some_trials_may_wait(ada: httpx2.AsyncClient) -> None:
    for _ in range(MOST_WAITING):
        await try_out(ada)
    answer = await ada.post("/trials", data=DRAFT | {"endpoint_ids": "1"})
    assert answer.status_code == 409
    assert "Several trials wait already" in answer.text
