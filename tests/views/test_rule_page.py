"""Writing a rule: the form, its mistakes, and what the rule would do."""

import re

import httpx2
import pytest

from app.models import Endpoint, Rule, Run, rulebook
from tests.views.cast import Cast
from tests.views.page_form import PageForm
from tests.views.writing import LOTS, form_of, problems, saved, sent, value_of, version
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


async def test_a_new_rule_is_in_force_for_the_next_mail(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    form = await form_of(ada, "/rules/new")
    assert form.action == "/rules"
    data = sent(form.fields, name="Maquettes", conditions__0__values="maquette", endpoint_ids="1")
    answer = await ada.post("/rules", data=data)
    assert (answer.status_code, answer.headers["location"]) == (303, "/rules/4")
    async with site.database.reading() as db:
        last = (await Rule.in_force(db))[-1]
    assert (last.name, last.endpoint_ids, last.links_required) == ("Maquettes", (cast.endpoints[0].id,), True)
    page = (await ada.get("/rules/4")).text
    assert re.search(r"Saved \d\dh\d\d by ada", page)
    assert "Takes mail if the subject contains “maquette”." in page


async def test_the_only_receiver_is_proposed(ada: httpx2.AsyncClient, site: Site) -> None:
    assert "There is no receiver yet." in (await ada.get("/rules/new")).text
    async with site.database.transaction() as db:
        db.add(
            Endpoint(
                name="studio", url="https://a.example", secret=b"-", schedule=[], created_at=site.clock()
            )
        )
    assert ("endpoint_ids", "1") in (await form_of(ada, "/rules/new")).fields


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("preset", [1, 2, 3])
async def test_a_preset_comes_back_from_its_form_as_it_was(
    ada: httpx2.AsyncClient, site: Site, preset: int
) -> None:
    form = await form_of(ada, f"/rules/{preset}")
    answer = await ada.post(form.action, data=sent(form.fields))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rules/{preset}")
    async with site.database.reading() as db:
        assert (await db.get_one(Rule, preset)).version == 1  # nothing was changed, so nothing is kept


@pytest.mark.usefixtures("cast")
async def test_whatever_a_rule_can_say_comes_back_from_its_form(ada: httpx2.AsyncClient, site: Site) -> None:
    number = await saved(site, LOTS)
    form = await form_of(ada, f"/rules/{number}")
    await ada.post(form.action, data=sent(form.fields, name="Other"))
    again = (await version(site, number, 2)).as_value()
    assert again.definition() == value_of(LOTS).definition()
    assert (again.name, set(again.endpoint_ids)) == ("Other", {1, 2})


@pytest.mark.usefixtures("cast")
async def test_what_is_wrong_is_said_at_its_place_and_nothing_is_lost(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    number = await saved(site, LOTS)
    form = await form_of(ada, f"/rules/{number}")
    wrong = sent(
        form.fields,
        name=" ",
        conditions__0__values="(",
        conditions__1__1__header="No Header",
        conditions__7__values="big",
        group_days="400",
        template="{",
        priority="first",
    )
    for headers, start in ((FRAGMENT, '<form id="rule-form"'), ({}, "<!doctype html>")):
        answer = await ada.post(form.action, data=wrong, headers=headers)
        assert answer.status_code == 422
        assert answer.text.lstrip().startswith(start)
        found = problems(answer.text)
        assert set(found) == {
            "name",
            "conditions.0.values",
            "conditions.1.1.header",
            "conditions.7.values",
            "group",
            "template",
            "priority",
        }
        assert found["name"] == "Give it a name"
        assert "7 things have to be mended first." in answer.text
        kept = dict(PageForm(answer.text, "rule-form").fields)
        assert kept["conditions.1.1.header"] == "No Header"
        assert kept["template"] == "{"
        assert kept["conditions.1.0.values"] == "a@b.example\r\nc@d.example"
    async with site.database.reading() as db:
        assert (await db.get_one(Rule, number)).version == 1


async def test_a_new_rule_that_is_wrong_is_not_made(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/rules", data={"name": "x"})
    assert answer.status_code == 422
    assert problems(answer.text) == {"conditions": "A rule needs a condition"}
    async with site.database.reading() as db:
        assert len(await Rule.listed(db)) == 3


@pytest.mark.usefixtures("cast")
async def test_conditions_are_added_and_removed_without_javascript(ada: httpx2.AsyncClient) -> None:
    data = sent((await form_of(ada, "/rules/new")).fields, name="Kept", conditions__0__values="lot")
    for wish, place in (
        ("add:conditions", "conditions.1.field"),
        ("group:conditions", "conditions.2.0.field"),
        ("add:conditions.2", "conditions.2.1.field"),
    ):
        page = (await ada.post("/rules/preview", data=data | {"do": [wish]})).text
        assert page.startswith("<!doctype html>")
        assert f'id="field-{place}" name="{place}" autofocus' in page
        form = PageForm(page, "rule-form")
        data = sent(form.fields)
    assert data["name"] == ["Kept"]
    assert data["conditions.0.values"] == ["lot"]
    page = (await ada.post("/rules/preview", data=data | {"do": ["remove:conditions.0"]})).text
    assert [name for name, _ in PageForm(page, "rule-form").fields if name.endswith("field")] == [
        "conditions.0.field",
        "conditions.1.0.field",
        "conditions.1.1.field",
    ]
    assert form.action == "/rules"


@pytest.mark.usefixtures("cast")
async def test_a_form_of_a_rule_stays_one_when_a_row_is_added(ada: httpx2.AsyncClient) -> None:
    fields = (await form_of(ada, "/rules/1")).fields
    page = (await ada.post("/rules/preview", data=sent(fields, do="add:conditions"), headers=FRAGMENT)).text
    assert page.lstrip().startswith('<form id="rule-form"')
    form = PageForm(page, "rule-form")
    assert form.action == "/rules/1/versions"
    assert ("version", "1") in form.fields


@pytest.mark.usefixtures("cast")
async def test_another_field_brings_the_comparisons_that_fit(ada: httpx2.AsyncClient) -> None:
    fields = (await form_of(ada, "/rules/new")).fields
    changed = sent(fields, conditions__0__field="size", do="refresh")
    page = (await ada.post("/rules/preview", data=changed, headers=FRAGMENT)).text
    shown = dict(PageForm(page, "rule-form").fields)
    assert (shown["conditions.0.field"], shown["conditions.0.operator"]) == ("size", "larger")
    words = sent(fields, conditions__0__field="detector", conditions__0__operator="equals", do="refresh")
    form = (await ada.post("/rules/preview", data=words, headers=FRAGMENT)).text
    shown = dict(PageForm(form, "rule-form").fields)
    assert shown["conditions.0.values"] == "recadrage"
    assert not re.search(r'hidden>\s*<label for="field-subject_terms"', form)


@pytest.mark.usefixtures("cast")
async def test_what_it_does_is_said_while_it_is_written(ada: httpx2.AsyncClient) -> None:
    fields = (await form_of(ada, "/rules/new")).fields
    early = (await ada.post("/rules/preview", data=sent(fields), headers=FRAGMENT)).text
    assert early.lstrip().startswith('<div id="rule-effect"')
    assert "Say what to look for" in early
    data = sent(fields, conditions__0__values="lot", endpoint_ids="2", stop="true")
    told = (await ada.post("/rules/preview", data=data, headers=FRAGMENT)).text
    assert "Takes mail if the subject contains “lot”." in told  # it needs no name for that
    assert "Sends it to planning." in told
    assert "Later rules are not asked." in told
    assert (await ada.post("/rules/preview", data=data)).text.startswith("<!doctype html>")


async def test_thousands_of_fields_are_refused_or_cut_and_never_fail(ada: httpx2.AsyncClient) -> None:
    few = {f"conditions.{n}.field": "subject" for n in range(900)}
    answer = await ada.post("/rules/preview", data=few | {"do": "add:conditions"})
    assert answer.status_code == 200
    assert len(PageForm(answer.text, "rule-form").fields) < 1000
    many = {f"x{n}": "" for n in range(5000)}
    assert (await ada.post("/rules", data=many)).status_code == 400
    large = {"template": "x" * 70_000}
    assert (await ada.post("/rules/preview", data=large)).status_code == 413


@pytest.mark.usefixtures("cast")
async def test_a_rule_is_copied_under_another_name_and_not_saved_by_that(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    number = await saved(site, LOTS)
    form = await form_of(ada, f"/rules/new?copy={number}")
    assert dict(form.fields)["name"] == "Lots of the studio (copy)"
    assert form.action == "/rules"
    async with site.database.reading() as db:
        assert len(await rulebook.rows(db, site.clock())) == 4
    assert (await ada.get("/rules/new?copy=99")).status_code == 200


@pytest.mark.usefixtures("cast")
async def test_the_draft_of_a_trial_can_be_written_on(ada: httpx2.AsyncClient, site: Site) -> None:
    async with site.database.transaction() as db:
        run = Run(kind="trial", requested_by="ada", created_at=site.clock(), details={"draft": LOTS})
        db.add(run)
        await db.flush()
    for address, action in (("/rules/new", "/rules"), ("/rules/2", "/rules/2/versions")):
        form = await form_of(ada, f"{address}?trial={run.id}")
        assert dict(form.fields)["name"] == LOTS["name"]
        assert form.action == action
    assert dict((await form_of(ada, "/rules/2?trial=999")).fields)["name"] == "DESABO"


@pytest.mark.usefixtures("cast")
async def test_the_form_can_be_tried_before_it_is_saved(ada: httpx2.AsyncClient) -> None:
    for address in ("/rules/new", "/rules/1"):
        page = (await ada.get(address)).text
        assert re.search(r'<button class="button" formaction="/trials">.*?Try it on stored mail', page)
