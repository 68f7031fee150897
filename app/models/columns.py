"""The kinds of columns that our tables are made of."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, DateTime, Dialect, Enum, Index, literal, text
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

# Named alike on every database, so that migrations can speak of them; set before the first table is made.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An aware UTC moment; SQLite keeps no zone, so it is taken off and put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a moment without a zone: {value!r}"
            raise ValueError(message)
        return (
            value.astimezone(UTC) if dialect.name != "sqlite" else value.astimezone(UTC).replace(tzinfo=None)
        )

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def moment(*, index: bool = False, nullable: bool = True) -> Any:  # noqa: ANN401 - SQLModel takes a Column
    return Column(Moment(), index=index, nullable=nullable)


def word(words: type[StrEnum], *, index: bool = False, nullable: bool = False) -> Any:  # noqa: ANN401
    """A word of a closed list, stored as its text."""
    kind = Enum(
        words, native_enum=False, length=24, values_callable=lambda members: [one.value for one in members]
    )
    return Column(kind, index=index, nullable=nullable)


def facts(*, nullable: bool = False) -> Any:  # noqa: ANN401
    return Column(JSON(none_as_null=True), nullable=nullable)


def partial_index(name: str, *columns: str, where: str) -> Index:
    """An index over the few rows that matter, on either database."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def written_out(column: Any, value: StrEnum) -> ColumnElement[bool]:  # noqa: ANN401 - a mapped column
    """Compare with the value in the statement's text: SQLite uses a partial index for nothing less."""
    same: ColumnElement[bool] = column == literal(value, column.type, literal_execute=True)
    return same
