"""Rules in their order; each save is an immutable version."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.columns import facts, moment
from app.rules.rule import Rule as RuleValue


class Rule(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    position: int
    active: bool = True
    version: int = 0  # the number of the version in force
    created_at: datetime = Field(sa_column=moment(nullable=False))

    @classmethod
    async def in_force(cls, db: AsyncSession) -> list[RuleValue]:
        """Give the active rules in their order, as judgement takes them."""
        query = (
            select(cls, RuleVersion)
            .where(RuleVersion.rule_id == cls.id, RuleVersion.number == cls.version, cls.active)
            .order_by(cls.position, cls.id)  # type: ignore[arg-type]
        )
        return [version.as_value(rule.name) for rule, version in (await db.exec(query)).all()]


class RuleVersion(SQLModel, table=True):
    __tablename__ = "rule_version"
    __table_args__ = (UniqueConstraint("rule_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    rule_id: int = Field(foreign_key="rule.id")
    number: int
    definition: dict[str, Any] = Field(sa_column=facts())
    endpoint_ids: list[int] = Field(sa_column=facts())
    created_at: datetime = Field(sa_column=moment(nullable=False))
    created_by: str

    def as_value(self, name: str) -> RuleValue:
        return RuleValue.from_definition(
            id=self.rule_id,
            version_id=self.id or 0,
            name=name,
            endpoint_ids=tuple(self.endpoint_ids),
            definition=self.definition,
        )
