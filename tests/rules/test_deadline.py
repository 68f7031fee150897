"""When a mission is due."""

from datetime import date, datetime

import pytest

from app.rules import deadline
from tests.rules.cast import PARIS, paris

TODAY = date(2025, 10, 13)


def due(text: str, today: date = TODAY) -> str | None:
    return deadline.find(deadline.searchable(text), today)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("À faire pour 14h30", "14h30"),
        ("à faire pour 9h", "09h00"),
        ("à faire pour 9h5", "09h05"),
        ("à faire pour 9h30", "09h30"),
        ("à faire pour 9H30", "09h30"),
        ("à faire pour 9:05", "09h05"),
        ("à faire pour 9 h 30", "09h30"),
        ("à faire pour 9 h", "09h00"),
        ("à faire pour midi", "12h00"),
        ("à faire pour minuit", "00h00"),
        ("à faire pour à 9h", "09h00"),
        ("À FAIRE\n POUR   0h", "00h00"),
        ("à faire pour : 18h", "18h00"),
        ("à faire pour demain, 9h", "09h00"),
        ("à faire pour ce soir 23h59", "23h59"),
        ("Merci de livrer avant midi.", "12h00"),
        ("à rendre à 9h 30, merci", "09h30"),
        ("livrer 9h 75 vidéos", "09h00"),
    ],
)
def test_a_time_is_read_in_every_way_it_is_written(text: str, time: str) -> None:
    assert due(text) == time


@pytest.mark.parametrize(
    "text",
    [
        *("24h00", "24h", "99h99", "25h", "9h75", "12:60", "31:00"),
        *("24h/24", "Service 24h / 24", "ouvert 7j/7 12h/24", "8h/jour", "2h/j"),
        *("Durée 3h30min", "14h305", "09:5", "9", "bon après-midi", "Midi-Pyrénées", "1,5h de travail"),
        *("https://www.dropbox.com/scl/fo/9h30?a=10h15", "114h30", "x9h30"),
        *("le 31/02/2025 à 9h", "le 45/99/2025 à 9h", "le 29/02/2025 à 9h", "le 31/04 à 9h", "le 0/1 à 9h"),
        *("le 31 février à 9h", "", "sans heure"),
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert due(text) is None
    assert due(f"à faire pour {text}") is None


@pytest.mark.parametrize(
    "written",
    [
        *(
            "le 3/9/2025 à 9h",
            "le 03/09/2025 à 09h00",
            "le 3/9/25 à 9h",
            "le 03-09-2025 à 9h",
            "le 3.9.2025 à 9:00",
        ),
        *("le 3 septembre 2025 à 9h", "le 3 Septembre 25 à 9 h", "le mercredi 3 septembre 2025, 9h"),
        *(
            "le 3/9/2025 a a 9h",
            "le 3/9/2025 avant 9h",
            "le 3/9/2025 au plus tard à 9h",
            "le mercredi 3/9/2025 9h",
        ),
    ],
)
def test_a_date_is_kept_however_it_is_written(written: str) -> None:
    assert due(f"À faire pour {written}") == "le 03/09/2025 à 09h00"
    assert due(f"Merci de livrer {written}") == "le 03/09/2025 à 09h00"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("le 3/9 à 9h", "03/09/2026"),
        ("le 13/10 à 9h", "13/10/2025"),
        ("le 14/10 à 9h", "14/10/2025"),
        ("le 12-10 à 9h", "12/10/2026"),
        ("le 3 septembre à 9h", "03/09/2026"),
        ("le 1er novembre à 9h", "01/11/2025"),
        ("le 29/02 à 9h", "29/02/2028"),
        ("le 3 août à midi", "03/08/2026"),
    ],
)
def test_a_date_without_year_is_the_next_such_day(written: str, day: str) -> None:
    assert due(f"à faire pour {written}") in {f"le {day} à 09h00", f"le {day} à 12h00"}


def test_a_leap_day_is_found_over_a_century_that_has_none() -> None:
    assert due("à faire pour le 29/2 à 9h", date(2096, 3, 1)) == "le 29/02/2104 à 09h00"


def test_a_time_of_day_is_not_taken_for_a_year() -> None:
    assert due("à faire pour le 3 septembre 18:30") == "le 03/09/2026 à 18h30"
    assert due("à faire pour le 3 septembre 14h30") == "le 03/09/2026 à 14h30"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("Reçu à 8h. À faire pour 14h30", "14h30"),
        ("Reçu à 8h. À faire pour demain 14h30", "14h30"),
        ("à faire pour 24h00, ou à faire pour 23h", "23h00"),
        ("à faire pour 24h00, sinon 22h", "22h00"),
        ("entre 12h et 14h", "12h00"),
        ("entre 12h/14h", "12h00"),
        ("Rendu pour 18:30, point à 9h", "18h30"),
        ("Format 9:16, à livrer pour 18h", "18h00"),
        ("à faire pour 9:16", "09h16"),
        ("Format 9:16", None),
    ],
)
def test_what_is_asked_for_wins_and_then_the_first_time(text: str, time: str | None) -> None:
    assert due(text) == time


@pytest.mark.parametrize(
    "quotation",
    [
        "Envoyé : mardi 28 octobre 2025 10:45",
        "> Envoyé : mardi 28 octobre 2025 10:45",
        "*Envoyé :* mardi 28 octobre 2025 10:45",
        "De : Ann\nEnvoyé : mardi 28 octobre 2025 10:45\nÀ : Bob\nObjet : à faire pour 10h",
        "From: Ann\n\nDate: Tue, 28 Oct 2025 10:45\n\nSubject: x",
        "Le mar. 28 oct. 2025 à 10:45, Ann <ann@example.com> a écrit :",
        "Le mar. 28 oct. 2025 à 10:45,\nAnn <ann@example.com>\na écrit :",
        "> On Tue, Oct 28, 2025 at 10:45 AM Ann <ann@example.com> wrote:",
        "Sent: 10h45",
    ],
)
def test_the_header_of_a_quotation_says_nothing_about_a_delivery(quotation: str) -> None:
    assert due(f"Bonjour\n{quotation}\n> merci") is None
    assert due(f"{quotation}\nMerci de livrer pour 11h") == "11h00"


@pytest.mark.parametrize("line", ["Date : 03/09/2025 à 9h", "Objet : à faire pour 9h", "Le lot est pour 9h"])
def test_a_single_line_of_a_text_is_no_quotation(line: str) -> None:
    assert due(f"{line}\nAnn a écrit :") in {"09h00", "le 03/09/2025 à 09h00"}


@pytest.mark.parametrize(
    ("now", "soon"),
    [
        (paris("2025-10-13 12:35"), "13h35"),
        (paris("2025-10-13 23:30"), "00h30"),
        (datetime(2025, 3, 30, 0, 30, tzinfo=PARIS), "01h30"),
        (paris("2025-03-30 01:30"), "03h30"),
        (paris("2025-10-26 01:30"), "02h30"),
        (datetime(2025, 10, 26, 2, 30, tzinfo=PARIS, fold=0), "02h30"),
        (datetime(2025, 10, 26, 2, 30, tzinfo=PARIS, fold=1), "03h30"),
    ],
)
def test_an_hour_from_now_is_an_hour_on_the_days_the_clocks_change_too(now: datetime, soon: str) -> None:
    assert deadline.in_one_hour(now, PARIS) == soon
