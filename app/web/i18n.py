"""The reader's language, zone and moment, and the catalogues."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from gettext import find

from app.catalogue import CATALOGUES, catalogue
from app.rules.vocabulary import N_ as N_  # noqa: PLC0414 - so it may be had from here, too

LANGUAGES = ("en", "fr")
SOURCE = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom this answer is made."""

    language: str
    now: datetime
    zone: str = "UTC"


READER: ContextVar[Reader] = ContextVar("reader")


def reader() -> Reader:
    return READER.get()


def in_zone(zone: str) -> None:
    """Say times in this zone from now on."""
    READER.set(replace(reader(), zone=zone))


def gettext(message: str) -> str:
    return catalogue(reader().language).gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    return catalogue(reader().language).ngettext(singular, plural, number)


def choose(asked: str, kept: str, accepted: str) -> str:
    """Choose the language: asked for in the address, kept in the cookie, or the browser's own."""
    for wish in (asked, kept, *_by_preference(accepted)):
        if wish in LANGUAGES:
            return wish
    return SOURCE


def missing() -> list[str]:
    """Name the languages whose catalogue was not compiled: they are shown in English."""
    return [name for name in LANGUAGES if name != SOURCE and not find("messages", str(CATALOGUES), [name])]


def _by_preference(header: str) -> list[str]:
    """Give the languages of an Accept-Language header, the dearest first, without their regions."""
    wishes = []
    for entry in header[:500].lower().split(","):
        tag, _, parameters = entry.partition(";")
        wishes.append((_weight(parameters), tag.strip().partition("-")[0]))
    return [tag for weight, tag in sorted(wishes, key=lambda wish: -wish[0]) if weight > 0]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
