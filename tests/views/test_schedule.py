"""The schedule: what it does is said and drawn, and every part of it is set and cleared."""

from datetime import date, timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import select

from app.models import LogEvent, Sending, Setting
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}
OFFICE: dict[str, Any] = {
    "zone": "Europe/Paris",
    "window_start": "9h",
    "window_end": "19h",
    "absence_enabled": "on",
    "absence_days": ["saturday", "sunday"],
    "vacation_start": "2090-12-24",
    "vacation_end": "2091-01-02",
    "polling_active": "on",
    "polling_interval": "45",
    "polling_days": ["0", "1", "2", "3", "4"],
    "polling_start_hour": "7",
    "polling_end_hour": "21",
}
CLEARED = {
    "zone": "Europe/Paris",
    "polling_days": ["6"],
    "polling_interval": "30",
    "polling_start_hour": "0",
    "polling_end_hour": "24",
}


async def test_the_page_shows_what_is_set(ada: httpx2.AsyncClient) -> None:
    page = (await ada.get("/schedule")).text
    assert "Webhooks leave at any time." in page
    assert "Mailboxes are looked at every 30 s, day and night." in page
    assert page.count('data-why="open"') == 14
    assert 'value="Europe/Paris"' in page
    assert '<option value="Australia/Lord_Howe">' in page


async def test_a_saved_schedule_is_in_force_and_says_by_whom(ada: httpx2.AsyncClient, site: Site) -> None:
    before = await site.setting()
    answer = await ada.post("/schedule", data=OFFICE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/schedule")
    setting = await site.setting()
    assert (setting.window_start, setting.window_end) == ("9h00", "19h00")
    assert (setting.absence_enabled, setting.absence_days) == (True, ["saturday", "sunday"])
    assert (setting.vacation_start, setting.vacation_end) == (date(2090, 12, 24), date(2091, 1, 2))
    assert (setting.polling_interval, setting.polling_days) == (45, [0, 1, 2, 3, 4])
    assert (setting.polling_start_hour, setting.polling_end_hour) == (7, 21)
    assert setting.polling_active
    assert (setting.revision, setting.saved_by) == (before.revision + 1, "ada")
    page = (await ada.get("/schedule")).text
    assert "Webhooks leave Monday to Friday from 09h00 to 19h00, Paris time." in page
    assert "Mailboxes are looked at every 45 s Monday to Friday, 07h00 to 21h00." in page
    assert " by ada" in page


async def test_the_log_tells_what_changed(ada: httpx2.AsyncClient, site: Site) -> None:
    await ada.post("/schedule", data=OFFICE | {"polling_interval": "30"})
    async with site.database.reading() as db:
        event = (await db.exec(select(LogEvent).where(LogEvent.event == "schedule saved"))).one()
    assert event.subject == "ada"
    assert "window_start" in event.facts["changed"]
    assert "polling_interval" not in event.facts["changed"]


async def test_everything_that_was_set_can_be_cleared(ada: httpx2.AsyncClient, site: Site) -> None:
    await ada.post("/schedule", data=OFFICE)
    assert (await ada.post("/schedule", data=CLEARED)).status_code == 303
    setting = await site.setting()
    assert (setting.window_start, setting.window_end) == ("", "")
    assert (setting.absence_enabled, setting.absence_days) == (False, [])
    assert (setting.vacation_start, setting.vacation_end) == (None, None)
    assert not setting.polling_active
    assert setting.polling_days == [6]


async def test_with_htmx_the_form_comes_back_saved(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/schedule", data=OFFICE, headers=FRAGMENT)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<form id="schedule"')
    assert 'value="9h00"' in answer.text
    assert "by ada" in answer.text


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "window_end": ({"window_end": ""}, "give both or none"),
    "window_start": ({"window_start": "nine"}, "“nine” is not a time"),
    "absence_days": ({"absence_days": []}, "Choose at least one day, or switch absence off"),
    "vacation_end": ({"vacation_end": "2090-12-01"}, "The last day is before the first"),
    "polling_days": ({"polling_days": []}, "Choose at least one day"),
    "polling_end_hour": ({"polling_end_hour": "7"}, "Start and end must differ"),
    "polling_interval": ({"polling_interval": "1"}, "from 5 to 3600"),
    "zone": ({"zone": "Mars"}, "“Mars” is no time zone"),
}


@pytest.mark.parametrize("place", MISTAKES)
async def test_a_mistake_stands_at_its_field_and_nothing_is_saved(
    ada: httpx2.AsyncClient, site: Site, place: str
) -> None:
    before, (changes, says) = await site.setting(), MISTAKES[place]
    answer = await ada.post("/schedule", data=OFFICE | changes)
    assert answer.status_code == 422
    message = answer.text.partition(f'id="problem-{place}"')[2].partition("</p>")[0]
    assert says in message
    assert answer.text.count('class="problem"') == 1
    assert 'value="45"' in answer.text or place == "polling_interval"  # what was typed is still there
    assert (await site.setting()).revision == before.revision


async def test_a_mistake_comes_back_as_the_form_alone_with_htmx(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/schedule", data=OFFICE | {"window_start": "<b>"}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert answer.text.lstrip().startswith('<form id="schedule"')
    assert 'value="&lt;b&gt;"' in answer.text


async def test_the_effect_is_said_before_anything_is_saved(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/schedule/effect", data=OFFICE, headers=FRAGMENT)
    assert answer.text.lstrip().startswith('<div id="schedule-effect"')
    assert "Webhooks leave Monday to Friday from 09h00 to 19h00, Paris time." in answer.text
    assert answer.text.count('data-why="absence"') == 4
    assert answer.text.count(">09h00–19h00<") == 10
    assert "<input" not in answer.text
    assert (await site.setting()).window_start == ""


async def test_the_effect_leaves_out_what_cannot_be_read_and_says_so(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/schedule/effect", data=OFFICE | {"window_start": "9"}, headers=FRAGMENT)
    assert answer.status_code == 200
    assert "“9” is not a time such as" in answer.text
    assert "Webhooks leave Monday to Friday, at any hour, Paris time." in answer.text


@pytest.mark.parametrize("switch", [{}, {"absence_enabled": "on"}])
async def test_days_that_do_not_count_are_said_to_be_idle(
    ada: httpx2.AsyncClient, switch: dict[str, str]
) -> None:
    answer = await ada.post(
        "/schedule/effect", data=CLEARED | {"absence_days": ["monday"]} | switch, headers=FRAGMENT
    )
    assert ("Days of absence are ticked, but absence is off" in answer.text) is (not switch)


async def test_moments_are_said_in_the_zone_that_is_being_chosen(ada: httpx2.AsyncClient, site: Site) -> None:
    today = await site.today()
    away = {"vacation_start": str(today - timedelta(days=2)), "vacation_end": str(today + timedelta(days=5))}
    answer = await ada.post(
        "/schedule/effect", data=CLEARED | away | {"zone": "Asia/Tokyo"}, headers=FRAGMENT
    )
    assert f"opens {today + timedelta(days=6):%a %-d %b %Y}, 00h00" in answer.text


async def test_vacation_is_drawn_from_its_first_day_to_its_last(ada: httpx2.AsyncClient, site: Site) -> None:
    today = await site.today()
    days = {"vacation_start": str(today.replace(year=2020)), "vacation_end": "2099-01-01"}
    answer = await ada.post("/schedule/effect", data=CLEARED | days, headers=FRAGMENT)
    assert answer.text.count('data-why="vacation"') == 14
    assert answer.text.count('class="now"') == 1
    assert "Closed now, and it does not open within a year." in answer.text


async def test_a_window_over_midnight_is_two_bars_a_day(ada: httpx2.AsyncClient) -> None:
    night = CLEARED | {"window_start": "22h", "window_end": "6h"}
    answer = await ada.post("/schedule/effect", data=night, headers=FRAGMENT)
    assert '<rect class="open" x="0" y="0" width="360" height="16"/>' in answer.text
    assert '<rect class="open" x="1320" y="0" width="120" height="16"/>' in answer.text
    assert "00h00–06h00, 22h00–24h00" in answer.text


async def test_while_sending_is_off_the_page_says_so(ada: httpx2.AsyncClient, site: Site) -> None:
    async with site.database.transaction() as db:
        (await Setting.load(db)).sending = Sending.PAUSED
    assert "nothing leaves until it is on again" in (await ada.get("/schedule")).text


async def test_an_interval_that_stands_may_stay(ada: httpx2.AsyncClient, site: Site) -> None:
    async with site.database.transaction() as db:
        (await Setting.load(db)).polling_interval = 2
    assert (await ada.post("/schedule", data=OFFICE | {"polling_interval": "2"})).status_code == 303
    assert (await site.setting()).polling_interval == 2


async def test_in_french_the_page_is_french(site: Site) -> None:
    async with site.signed_in(**{"Accept-Language": "fr"}) as browser:
        answer = await browser.post("/schedule/effect", data=OFFICE, headers=FRAGMENT)
        assert "Paris" in answer.text
        assert (await browser.get("/schedule")).status_code == 200


async def test_nobody_sees_or_sets_it_without_a_session(site: Site) -> None:
    async with site.browser() as stranger:
        assert (await stranger.get("/schedule")).headers["location"].startswith("/login")
        assert (await stranger.post("/schedule", data=OFFICE)).headers["location"] == "/login"
    assert (await site.setting()).window_start == ""
