"""The schedule as somebody wrote it: every mistake is named at the place where it was made."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from app.rules.draft_reader import DraftReader
from app.rules.settings import DAYS
from app.rules.text import whole_number
from app.rules.verdict import Problems
from app.rules.window import as_shown, parse_time

SHORTEST, LONGEST = 5, 3600  # seconds between two looks at a mailbox
_OF_THIS_MACHINE = {"localtime", "Factory"}  # names that mean another zone, or none, elsewhere
_SHOWN = 40  # characters of a wrong value that a message repeats


def read(raw: Mapping[str, Any], *, shortest: int = SHORTEST) -> tuple[dict[str, Any], Problems]:
    """Read the whole schedule, with the names of the settings; a text may stand for a number or a date.

    Empty or None clears. What is right is in the first answer, what is wrong with the rest in the second:
    only without problems may it be saved.
    """
    reading = _Reading(raw)
    reading.window()
    reading.absence()
    reading.vacation()
    reading.polling(shortest)
    reading.zone()
    return reading.values, reading.problems


class _Reading(DraftReader):
    """Reads setting by setting."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self._raw = raw

    def window(self) -> None:
        start, end = self._text("window_start"), self._text("window_end")
        for name, text in (("window_start", start), ("window_end", end)):
            if text and parse_time(text) is None:
                self._refuse(name, "not_a_time", value=text[:_SHOWN])
        if bool(start) is not bool(end):
            self._refuse("window_end" if start else "window_start", "half_a_window")
        if start and end and parse_time(start) == parse_time(end):
            self._refuse("window_end", "no_window_at_all")
        self._take(window_start=as_shown(start), window_end=as_shown(end))

    def absence(self) -> None:
        enabled = self._raw.get("absence_enabled") is True
        days = [str(day).strip().lower() for day in self._list("absence_days")]
        unknown = next((day for day in days if day not in DAYS), None)
        if unknown is not None:
            self._refuse("absence_days", "unknown_day", value=unknown[:_SHOWN])
        if enabled and not days:
            self._refuse("absence_days", "no_day_of_absence")
        if "absence_days" not in self.problems:
            self._take(absence_enabled=enabled, absence_days=[day for day in DAYS if day in days])

    def vacation(self) -> None:
        start, end = self._date("vacation_start"), self._date("vacation_end")
        given = [name for name in ("vacation_start", "vacation_end") if self._text(name)]
        if len(given) == 1:
            missing = "vacation_end" if given == ["vacation_start"] else "vacation_start"
            self._refuse(missing, "half_a_vacation")
        if start and end and end < start:
            self._refuse("vacation_end", "vacation_backwards")
        self._take(vacation_start=start, vacation_end=end)

    def polling(self, shortest: int) -> None:
        days = sorted({self._number("polling_days", day, 0, 6) or 0 for day in self._list("polling_days")})
        if not days:
            self._refuse("polling_days", "no_polling_day")
        start = self._number("polling_start_hour", self._raw.get("polling_start_hour"), 0, 24)
        end = self._number("polling_end_hour", self._raw.get("polling_end_hour"), 0, 24)
        if start is not None and end is not None and (end - start) % 24 == 0 and (start, end) != (0, 24):
            self._refuse("polling_end_hour", "no_polling_hour")
        interval = self._number("polling_interval", self._raw.get("polling_interval"), shortest, LONGEST)
        self.values["polling_active"] = self._raw.get("polling_active") is True
        self._take(polling_days=days)
        self._take(polling_start_hour=start, polling_end_hour=end)
        self._take(polling_interval=interval)

    def zone(self) -> None:
        typed = self._text("zone")
        name = _zones().get(typed.replace(" ", "_").casefold())
        if name is None:
            self._refuse("zone", "unknown_zone", value=typed[:_SHOWN])
        else:
            self.values["zone"] = name

    def _take(self, **values: Any) -> None:  # noqa: ANN401 - a setting's own types
        """Settings that are right only together."""
        if not values.keys() & self.problems.keys():
            self.values |= values

    def _text(self, name: str) -> str:
        value = self._raw.get(name)
        return "" if value is None else str(value).strip()

    def _list(self, name: str) -> Iterable[object]:
        value = self._raw.get(name)
        if value is None or isinstance(value, list | tuple):
            return value or ()
        self._refuse(name, "not_a_list")
        return ()

    def _date(self, name: str) -> date | None:
        text = self._text(name)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self._refuse(name, "not_a_date", value=text[:_SHOWN])
            return None

    def _number(self, name: str, value: object, least: int, most: int) -> int | None:
        number = whole_number(str(value).strip())
        if number is not None and least <= number <= most:
            return number
        self._refuse(name, "not_a_number", least=least, most=most)
        return None


@cache
def _zones() -> dict[str, str]:
    """The IANA names by how they may be typed."""
    return {name.casefold(): name for name in available_timezones() - _OF_THIS_MACHINE}


def zones() -> list[str]:
    """The names to choose from: the places, without the older ways to say the same."""
    return sorted(name for name in _zones().values() if "/" in name and not name.startswith("Etc/"))
