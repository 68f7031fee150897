"""Which mail speaks for which group, for a whole batch of mails that is decided in one commit (D10)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Delivery, DeliveryState, GroupMark
from app.models.mirror import is_no_copy
from app.rules.group import GroupKey

LIVE = (DeliveryState.HELD, DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.SENT)


class Marks:
    """The marks of some groups as they stand, and as this batch goes on to set them."""

    def __init__(self, rows: Iterable[GroupMark], living: Collection[tuple[int, int]], now: datetime) -> None:
        self._rows = {(row.rule_id, row.scope, row.name): row for row in rows}
        self._living = set(living)
        self._now = now

    @classmethod
    async def load(cls, db: AsyncSession, keys: Collection[GroupKey], now: datetime) -> "Marks":
        if not keys:
            return cls((), (), now)
        named = select(GroupMark).where(col(GroupMark.name).in_({key.group for key in keys}))
        rows = (await db.exec(named)).all()
        # a mark counts only while its delivery is neither failed nor dropped
        alive = select(Delivery.message_id, Delivery.rule_id).where(
            col(Delivery.message_id).in_({row.message_id for row in rows}),
            col(Delivery.state).in_(LIVE),
            is_no_copy(),
        )
        return cls(rows, (await db.exec(alive)).all(), now)

    def speaking(self, keys: Iterable[GroupKey], message_id: int) -> Mapping[GroupKey, int]:
        """Give, for those groups that have one, the other mail that counts."""
        found = {}
        for key in keys:
            row = self._rows.get((key.rule_id, key.scope, key.group))
            if row is not None and row.message_id != message_id and self._counts(row):
                found[key] = row.message_id
        return found

    def set(self, db: AsyncSession, key: GroupKey, message_id: int) -> None:
        """Let this mail speak for the group from now on."""
        row = self._rows.setdefault(
            (key.rule_id, key.scope, key.group),
            GroupMark(
                rule_id=key.rule_id,
                scope=key.scope,
                name=key.group,
                message_id=message_id,
                marked_at=self._now,
            ),
        )
        row.message_id, row.marked_at, row.expires_at = message_id, self._now, key.expires_at
        self._living.add((message_id, key.rule_id))
        db.add(row)

    def _counts(self, row: GroupMark) -> bool:
        expired = row.expires_at is not None and row.expires_at <= self._now
        return not expired and (row.message_id, row.rule_id) in self._living
