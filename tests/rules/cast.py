"""The mails, rules and moments of these tests."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.rules.mail import Mail
from app.rules.presets import PRESETS
from app.rules.rule import Rule
from app.rules.settings import Settings
from app.rules.window import parse_time

PARIS = ZoneInfo("Europe/Paris")
FOLDER = "https://www.dropbox.com/scl/fo/abc123"
LOT_42 = "Média Solution - Missions Recadrage - Lot 42"
MISSION = f"À faire pour 16h30\n{FOLDER}"
OFFER = "Dispo dans la journée ? Tarifs habituels. https://www.dropbox.com/request/abc\nSe désabonner"


def paris(text: str) -> datetime:
    """A moment by the clock of Paris, such as `2025-10-13 14:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


MONDAY = paris("2025-10-13 14:00")


def a_mail(subject: str = LOT_42, text: str = MISSION, **fields: Any) -> Mail:  # noqa: ANN401 - any of its fields
    known: dict[str, Any] = {
        "subject": subject,
        "sender": "ann@example.com",
        "text": text,
        "source_text": text,
        "size": len(text),
        "arrived_at": MONDAY,
        "attachments": 0,
        "text_cut": False,
    }
    return Mail(**(known | fields))


def preset(number: int, **changes: Any) -> Rule:  # noqa: ANN401 - any of its fields
    """One of the three rules of an empty database, with a receiver."""
    name, definition = PRESETS[number]
    return Rule.from_definition(
        id=number + 1,
        version_id=number + 11,
        name=name,
        endpoint_ids=changes.pop("endpoint_ids", (7,)),
        definition=definition | changes,
    )


RECADRAGE, DESABO, LINKS = preset(0), preset(1), preset(2)
ALL = (RECADRAGE, DESABO, LINKS)


def open_from(start: str, end: str, **fields: Any) -> Settings:  # noqa: ANN401 - any of its fields
    """Settings with a window whose bounds are given as they are typed."""
    return Settings(
        window_start=parse_time(start),
        window_end=parse_time(end),
        window_start_text=start,
        window_end_text=end,
        **fields,
    )
