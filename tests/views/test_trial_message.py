"""One mail of a trial: explained by the rules in force, and by the draft."""

import httpx2

from app.models import Setting
from app.models.setting import Sending
from tests.views.cast import Cast, a_message
from tests.views.trying import judge, try_out
from tests.web.client import Site


async def test_one_mail_is_explained_on_both_sides(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    await try_out(ada, **{"conditions.0.field": "text", "conditions.0.values": "livrer"})
    await judge(site)
    mail = cast.messages["newsletter"].id
    page = (await ada.get(f"/trials/1/messages/{mail}")).text
    live, draft = page.split('id="side-draft"')
    assert "Rule “Newsletters”" in draft
    assert "Rule “Newsletters”" not in live
    assert draft.count('class="deciding"') == 1
    assert "microsoft_graph_email_id" in draft
    assert "have changed since" not in page
    assert (await ada.get(f"/trials/1/messages/{cast.messages['reply'].id}")).status_code == 404


async def test_a_duplicate_of_a_trial_is_judged_again_with_the_marks_it_met(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        twin = await a_message(db, cast, cast.messages["newsletter"].subject, text="Rien")
    await try_out(ada, group="month")
    await judge(site)
    page = (await ada.get(f"/trials/1/messages/{twin.id}")).text
    assert "an earlier mail speaks for it" in page.partition('id="side-draft"')[2]
    assert "have changed since" not in page


async def test_a_pause_is_said_to_play_no_part(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    await try_out(ada)
    await judge(site)
    pages = ("/trials/1", f"/trials/1/messages/{cast.messages['newsletter'].id}")
    for page in pages:
        assert "as if sending were on" not in (await ada.get(page)).text
    async with site.database.transaction() as db:
        (await Setting.load(db)).sending = Sending.PAUSED
    for page in pages:
        assert "as if sending were on" in (await ada.get(page)).text
    assert "have changed since" not in (await ada.get(pages[1])).text


async def test_a_side_that_would_be_another_by_now_says_so(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    await try_out(ada)
    await judge(site)
    async with site.database.transaction() as db:
        (await Setting.load(db)).exclude_keywords = ["agenda"]
    assert (
        "have changed since" in (await ada.get(f"/trials/1/messages/{cast.messages['newsletter'].id}")).text
    )
