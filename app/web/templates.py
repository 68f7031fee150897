"""The templates' environment: what every page may use without being given it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.rules.verdict import Reason
from app.rules.vocabulary import DATE, MOMENT
from app.rules.words import say
from app.web import i18n
from app.web.i18n import N_
from app.web.places import TEMPLATES
from app.web.static import version
from app.web.words import word

EXACT = "EEE d MMM y, HH'h'mm"
LOCALES = {"en": "en_GB", "fr": "fr"}  # how dates are written
LATE = timedelta(minutes=1)  # by which what is due may be late and still be said to happen now
# The log's English dates, as the page has them.
ENGLISH = {DATE: "%-d %b %Y", MOMENT: "%a %-d %b %Y, %Hh%M"}
# How a distance in time is said, here and by the page's script: up to so many seconds, in units of so many.
SPANS = (
    (60, 1, N_("{n} sec")),
    (3600, 60, N_("{n} min")),
    (86400, 3600, N_("{n} hr")),
    (10**12, 86400, N_("{n} d")),
)
NEAR = 2  # seconds that are not told from now
PHRASES = {"past": N_("{span} ago"), "future": N_("in {span}"), "now": N_("now")}
PathFor = Callable[..., Any]


def environment(path_for: PathFor) -> Environment:
    """Put the environment together.

    `path_for` is the application's `url_path_for`: links are paths, never made from the Host header.
    """
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["ext.i18n.trimmed"] = True  # as babel.cfg reads them
    templates.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    templates.filters |= {"moment": moment, "soon": soon, "ago": ago, "say": say_reason, "word": word}
    templates.filters["decimal"] = decimal
    templates.globals["url_for"] = _addresses(path_for)
    templates.globals["distances"] = distances
    # a block that is rendered alone does not see its file's imports
    templates.globals["ui"] = templates.get_template("ui.html").module
    return templates


def _addresses(path_for: PathFor) -> Callable[..., str]:
    def url_for(name: str, **parameters: Any) -> str:  # noqa: ANN401 - as Starlette takes them
        path = str(path_for(name, **parameters))
        return f"{path}?v={version(parameters['path'])}" if name == "static" else path

    return url_for


def moment(value: datetime) -> str:
    """Say the exact moment in the operator's zone: `Sun 22 Nov 2026, 14h30`."""
    reader = i18n.reader()
    return format_datetime(value, EXACT, tzinfo=ZoneInfo(reader.zone), locale=LOCALES[reader.language])


def soon(value: datetime) -> str:
    """Say a moment that is near as shortly as it can be: `14h30`, `Monday 08h00`, `3 Dec 08h00`."""
    reader = i18n.reader()
    zone = ZoneInfo(reader.zone)
    days = abs((value.astimezone(zone).date() - reader.now.astimezone(zone).date()).days)
    day = "" if days == 0 else "EEEE " if days < 7 else "d MMM "
    return format_datetime(value, f"{day}HH'h'mm", tzinfo=zone, locale=reader.language)


def decimal(value: float) -> str:
    """Write a number as the reader does: with a point or a comma, and one place after it."""
    return format_decimal(value, "0.0", locale=LOCALES[i18n.reader().language])


class Ago(NamedTuple):
    """What a `<time>` element needs."""

    iso: str
    exact: str
    text: str


def ago(value: datetime, *, due: bool = False) -> Ago:
    """Say how long ago it was, or in how long it will be; what was due a moment ago happens now."""
    distance = value - i18n.reader().now
    seconds = 0 if due and -LATE < distance < timedelta() else int(distance.total_seconds())
    return Ago(value.isoformat(), moment(value), _distance(seconds))


def distances() -> dict[str, Any]:
    """Give the script the words in which the page says distances in time."""
    spans = [(limit, unit, i18n.gettext(text)) for limit, unit, text in SPANS]
    phrases = {name: i18n.gettext(text) for name, text in PHRASES.items()}
    return phrases | {"spans": spans, "near": NEAR, "late": LATE.total_seconds()}


def _distance(seconds: int) -> str:
    if abs(seconds) < NEAR:
        return i18n.gettext(PHRASES["now"])
    unit, text = next((unit, text) for limit, unit, text in SPANS if abs(seconds) < limit)
    way = "past" if seconds < 0 else "future"
    return i18n.gettext(PHRASES[way]).format(span=i18n.gettext(text).format(n=abs(seconds) // unit))


def say_reason(stored: dict[str, Any], zone: str = "") -> str:
    """Put a stored reason into the reader's words, with times in the operator's zone unless told another."""
    return say(Reason.from_json(stored), _translate, zone=zone or i18n.reader().zone)


def _translate(message: str) -> str:
    english = i18n.reader().language == i18n.SOURCE
    return ENGLISH.get(message, message) if english else i18n.gettext(message)
