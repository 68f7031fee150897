"""Rules in their order; each save is an immutable version."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.columns import facts, moment
from app.rules.rule import Rule as RuleValue


class Rule(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    position: int
    active: bool = True
    version: int = 0  # the number of the version in force
    external_id: str | None = Field(default=None, unique=True)  # under which programs know it
    archived_at: datetime | None = Field(default=None, sa_column=moment())
    created_at: datetime = Field(sa_column=moment(nullable=False))

    @classmethod
    async def in_force(cls, db: AsyncSession) -> list[RuleValue]:
        """Give the active rules in their order, as judgement takes them."""
        query = (
            select(RuleVersion)
            .join(cls, col(cls.id) == RuleVersion.rule_id)
            .where(RuleVersion.number == cls.version, cls.active)
            .order_by(cls.position, cls.id)  # type: ignore[arg-type]
        )
        return [version.as_value() for version in (await db.exec(query)).all()]

    @classmethod
    async def listed(cls, db: AsyncSession) -> list[tuple["Rule", "RuleVersion"]]:
        """Give every rule that is not archived with its version in force, in their order."""
        query = (
            select(cls, RuleVersion)
            .where(RuleVersion.rule_id == cls.id, RuleVersion.number == cls.version)
            .where(col(cls.archived_at).is_(None))
            .order_by(col(cls.position), col(cls.id))
        )
        return list((await db.exec(query)).all())

    @classmethod
    async def add(cls, db: AsyncSession, *, position: int, now: datetime) -> "Rule":
        """Add a rule that says nothing yet; a first version must follow."""
        rule = cls(name="", position=position, created_at=now)
        db.add(rule)
        await db.flush()
        return rule

    async def in_version(self, db: AsyncSession, number: int) -> "RuleVersion | None":
        query = select(RuleVersion).where(RuleVersion.rule_id == self.id, RuleVersion.number == number)
        return (await db.exec(query)).first()

    def save(
        self,
        db: AsyncSession,
        value: RuleValue,
        *,
        by: str,
        now: datetime,
        restored_from: int | None = None,
    ) -> "RuleVersion":
        """Put a new version in force; the earlier ones stay as they are."""
        self.name, self.version = value.name, self.version + 1
        version = RuleVersion(
            rule_id=self.id or 0,
            number=self.version,
            name=value.name,
            definition=value.definition(),
            endpoint_ids=list(value.endpoint_ids),
            created_at=now,
            created_by=by,
            restored_from=restored_from,
        )
        db.add_all([self, version])
        return version


class RuleVersion(SQLModel, table=True):
    __tablename__ = "rule_version"
    __table_args__ = (UniqueConstraint("rule_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    rule_id: int = Field(foreign_key="rule.id")
    number: int
    name: str
    definition: dict[str, Any] = Field(sa_column=facts())
    endpoint_ids: list[int] = Field(sa_column=facts())
    created_at: datetime = Field(sa_column=moment(nullable=False))
    created_by: str
    restored_from: int | None = None  # the number of the version that this one brings back

    def as_value(self) -> RuleValue:
        return RuleValue.from_definition(
            id=self.rule_id,
            version_id=self.id or 0,
            name=self.name,
            endpoint_ids=tuple(self.endpoint_ids),
            definition=self.definition,
        )
