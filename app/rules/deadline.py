"""The delivery time a mail asks for, as receivers know it: `14h30` or `le 03/09/2025 à 14h30`."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.rules.quoted import without_quoted_headers
from app.rules.text import normalise

_MONTHS = (
    *("janvier", "fevrier", "mars", "avril", "mai", "juin"),
    *("juillet", "aout", "septembre", "octobre", "novembre", "decembre"),
)
_YEARS_TO_A_LEAP_DAY = 9

_DAY = r"(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)[,.]? "
_DATE = (
    r"(?P<day>[0-9]{1,2})(?:"
    r"(?P<sep>[/.-])(?P<month>[0-9]{1,2})(?:(?P=sep)(?P<year>[0-9]{4}|[0-9]{2}))?"
    rf"|(?:er)? (?P<name>{'|'.join(_MONTHS)})(?: (?P<year_after>[0-9]{{4}}|[0-9]{{2}}))?"
    r")(?![0-9/])[ ,:-]{1,3}(?:[a-z]{1,12} ){0,4}?"
)
# `24h/24` and `8h/jour` are no times; nor is the `h` of `3h30min` or of an address.
_CLOCK = (
    r"(?<![\w=&?%/])(?<![0-9][.,:])(?:"
    r"(?P<hour>[0-9]{1,2}) ?h(?:(?P<minute>[0-9]{1,2})| (?P<spaced>[0-5][0-9]))?"
    r"(?!\w| ?/ ?(?:[0-9]{1,3}(?![0-9h:])|j(?:our)?\b))"
    r"|(?P<colon_hour>[0-9]{1,2}):(?P<colon_minute>[0-9]{2})(?::[0-9]{2})?(?![\w:])"
    r"|(?<!apres )(?<!apres-)(?P<word>midi|minuit)(?![\w-]))"
)
_ASKED = re.compile(
    r"\ba faire pour[ :,]{1,3}(?:[a-z'\u2019-]{1,20}[,:]? ){0,4}?"
    rf"(?:(?:le )?(?:{_DAY})?{_DATE})?{_CLOCK}"
)
_BARE = re.compile(rf"(?:(?:\ble (?:{_DAY})?|\b{_DAY}){_DATE})?{_CLOCK}")
_ADDRESS = re.compile(r"https?://[^\s<>\"]*", re.IGNORECASE)
_URGENCE = re.compile(r"\burgence\b")


def searchable(text: str) -> str:
    """The part of a mail's text in which a time can mean a deadline, normalised."""
    return normalise(_ADDRESS.sub(" ", without_quoted_headers(text)))


def is_urgence(subject: str) -> bool:
    """The whole word, in a normalised subject; `urgent` is another matter."""
    return _URGENCE.search(subject) is not None


def in_one_hour(now: datetime, zone: ZoneInfo) -> str:
    soon = (now.astimezone(UTC) + timedelta(hours=1)).astimezone(zone)
    return f"{soon:%H}h{soon:%M}"


def find(text: str, today: date) -> str | None:
    """What "à faire pour …" asks for, else the first time that stands in the `searchable` text."""
    for match in _ASKED.finditer(text):
        if (asked := _spoken(match, today)) is not None:
            return asked
    for match in _BARE.finditer(text):
        if not _is_picture_format(match) and (bare := _spoken(match, today)) is not None:
            return bare
    return None


def _is_picture_format(match: re.Match[str]) -> bool:
    """`9:16` is what videos are reframed to; a time would be written 09:16."""
    return match["day"] is None and match["colon_hour"] == "9" and match["colon_minute"] == "16"


def _spoken(match: re.Match[str], today: date) -> str | None:
    """None for a clock or a date that does not exist."""
    try:
        clock, day = _clock(match), _day(match, today)
    except ValueError:
        return None
    return f"le {day.day:02d}/{day.month:02d}/{day.year:04d} à {clock}" if day else clock


def _clock(match: re.Match[str]) -> str:
    if match["word"]:
        return "12h00" if match["word"] == "midi" else "00h00"
    hour = int(match["hour"] or match["colon_hour"])
    minute = int(match["minute"] or match["spaced"] or match["colon_minute"] or 0)
    if hour > 23 or minute > 59:
        raise ValueError
    return f"{hour:02d}h{minute:02d}"


def _day(match: re.Match[str], today: date) -> date | None:
    if match["day"] is None:
        return None
    day = int(match["day"])
    month = int(match["month"]) if match["month"] else _MONTHS.index(match["name"]) + 1
    year = match["year"] or match["year_after"]
    if year:
        return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
    return _next_such_day(day, month, today)


def _next_such_day(day: int, month: int, today: date) -> date:
    if month == 2 and day == 29:
        years = [year for year in range(today.year, today.year + _YEARS_TO_A_LEAP_DAY) if _is_leap(year)]
    else:
        years = [today.year, today.year + 1]
    return next(coming for year in years if (coming := date(year, month, day)) >= today)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
