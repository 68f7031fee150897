"""The templates' environment: what every page may use without being given it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_timedelta
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.rules.verdict import Reason
from app.rules.words import say
from app.web import i18n
from app.web.places import TEMPLATES
from app.web.static import version
from app.web.words import word

EXACT = "EEE d MMM y, HH'h'mm"
LOCALES = {"en": "en_GB", "fr": "fr"}  # how dates are written
A_SECOND = timedelta(seconds=1)
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
    templates.globals["url_for"] = _addresses(path_for)
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


class Ago(NamedTuple):
    """What a `<time>` element needs."""

    iso: str
    exact: str
    text: str


def ago(value: datetime) -> Ago:
    """Say how long ago it was, or in how long it will be."""
    reader = i18n.reader()
    distance = value - reader.now if abs(value - reader.now) > A_SECOND else -A_SECOND
    text = format_timedelta(distance, add_direction=True, format="short", locale=LOCALES[reader.language])
    return Ago(value.isoformat(), moment(value), text)


def say_reason(stored: dict[str, Any]) -> str:
    """Put a stored reason into the reader's words."""
    return say(Reason.from_json(stored), i18n.gettext, zone=i18n.reader().zone)
