"""A database of the first release, with all that an operator had in it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Boolean, Column, DateTime, Engine, Integer, LargeBinary, MetaData, create_engine

Answer = TypeVar("Answer")

NOW = datetime(2026, 11, 16, 13, 0, tzinfo=UTC)
POLICY = {"before": "hold", "after": "hold", "absence": "hold", "paused": "hold", "vacation": "hold"}
PLAIN = {
    "links_required": True,
    "group": "none",
    "urgent_policy": None,
    "hold_expires": "never",
    "stop": False,
}
OLD_RULES: list[tuple[str, dict[str, Any]]] = [
    (
        "Recadrage",
        PLAIN
        | {
            "detector": "recadrage",
            "group": "month",
            "policy": POLICY | {"before": "drop", "after": "drop"},
            "stop": True,
            "exclude_keywords": [],
            "subject_terms": ["media solution", "missions recadrage", "lot"],
        },
    ),
    (
        "DESABO",
        PLAIN
        | {
            "detector": "desabonnement_journee_tarifs",
            "links_required": False,
            "policy": POLICY | {"before": "send", "after": "drop"},
            "urgent_policy": POLICY,
            "hold_expires": "end_of_day",
            "stop": True,
            "exclude_keywords": ["promo"],
            "forbidden_terms": ["annulation"],
        },
    ),
    ("Liens", PLAIN | {"detector": "links", "policy": POLICY, "exclude_keywords": []}),
    (
        "Tout",
        PLAIN | {"detector": "links", "links_required": False, "policy": POLICY, "exclude_keywords": []},
    ),
]
FACTS = {
    "detector": None,
    "delivery_time": None,
    "urgent": False,
    "window_start": None,
    "window_end": None,
    "links": [{"provider": "fromsmash", "raw_url": "https://fromsmash.com/abc"}],
}
STEP = {"code": "matched_links", "facts": {"rule": "Liens", "urgent": False, "links": 1}, "mark": "passed"}
MISSED = {
    "code": "not_matched",
    "facts": {"rule": "Liens", "detector": "links", "missing": ["delivery_link"]},
    "mark": "stopped",
}
HELD = {"code": "paused", "facts": {"action": "hold"}}


def with_engine(url: str, ask: Callable[[Engine, MetaData], Answer]) -> Answer:
    engine, tables = create_engine(url.replace("+aiosqlite", "")), MetaData()
    tables.reflect(engine)
    try:
        return ask(engine, tables)
    finally:
        engine.dispose()


def fill(engine: Engine, tables: MetaData) -> None:
    """Put a row, or several, into every table."""
    old = Old(engine, tables)
    old.add("setting", sending_enabled=False, zone="Europe/Paris", window_start="9h00", window_end="19h00")
    old.add("mailbox", name="ada", since_on=None, state="ok", first_contact="unseen")
    old.add("folder", mailbox_id=1, uidvalidity=7)
    old.add(
        "endpoint", name="studio", url="https://hook.example.com", state="active", mode="json", schedule=[5]
    )
    for number, (name, definition) in enumerate(OLD_RULES, 1):
        older = [definition | {"subject_terms": ["lot"]}] if number == 1 else []
        old.add("rule", name=name, position=number, active=True, version=len(older) + 1)
        for version, wanted in enumerate([*older, definition], 1):
            old.add("rule_version", rule_id=number, number=version, definition=wanted, endpoint_ids=[1])
    for number, state in enumerate(("held", "pending", "sent"), 1):
        _add_mail(old, number)
        _add_delivery(old, number, state)
    old.add("attempt", delivery_id=3, endpoint_id=1, generation=1, number=1, status=200, outcome="sent")
    old.add("group_mark", rule_id=1, scope="2026-11", name="lot_7", message_id=1)
    old.add("uid_alias", folder_id=1, uidvalidity=6, uid=9, message_id=1)
    old.add("effect", kind="flag_seen", reference="1", folder_id=1)
    old.add("run", kind="poll", mailbox_id=1, state="done", listed=12, stored=5)
    old.add("process", owner="here/web/1/1", role="web", state="ready")
    for table in ("log_event", "session", "sign_in_token"):
        old.add(table)


def _add_mail(old: "Old", number: int) -> None:
    old.add(
        "message",
        mailbox_id=1,
        folder_id=1,
        uidvalidity=7,
        uid=number,
        subject=f"Fichiers {number}",
        sender="ann@example.com",
        state="decided",
        verdict="hold",
        reason=HELD,
        steps=[{"code": "no_reply_prefix", "facts": {}, "mark": "passed"}],
        expected_deliveries=1,
    )
    url = "https://fromsmash.com/abc"
    old.add("raw", message_id=number, body=b"From: ann", plain=url, text="abc", html="")
    old.add("link", message_id=number, provider="fromsmash", raw_url=url)


def _add_delivery(old: "Old", number: int, state: str) -> None:
    missed = {"rule_id": 1, "rule_version_id": 2, "matched": False, "reason": MISSED, "steps": [MISSED]}
    old.add("decision", message_id=number, **missed)
    made = {"message_id": number, "rule_id": 3, "rule_version_id": 4, "reason": HELD}
    steps = [STEP, {**HELD, "mark": "stopped"}]
    old.add("decision", **made, matched=True, verdict="hold", steps=steps)
    body = b"{}" if state == "sent" else None
    old.add(
        "delivery", **made, webhook_id=f"msg_{number}", endpoint_id=1, state=state, facts=FACTS, body=body
    )


class Old:
    def __init__(self, engine: Engine, tables: MetaData) -> None:
        self._engine, self._tables = engine, tables

    def add(self, table_name: str, /, **values: Any) -> None:  # noqa: ANN401 - columns
        """Add a row; of what is not given, what may be empty is, and the rest is of its kind."""
        table = self._tables.tables[table_name]
        needed = [column for column in table.columns if not column.nullable and column.name not in values]
        rest = {column.name: _of_its_kind(column) for column in needed if column.name != "id"}
        with self._engine.begin() as connection:
            connection.execute(table.insert().values(**rest | values))


def _of_its_kind(column: Column[Any]) -> object:
    kinds: dict[type, object] = {Boolean: False, Integer: 0, DateTime: NOW, LargeBinary: b""}
    for kind, value in kinds.items():
        if isinstance(column.type, kind):
            return value
    return {} if "JSON" in str(column.type) else ""
