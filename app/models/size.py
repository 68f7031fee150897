"""How large the database was, day by day."""

from datetime import date

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class Size(SQLModel, table=True):
    __tablename__ = "database_size"

    day: date = Field(primary_key=True)
    size: int = Field(sa_type=BigInteger)  # bytes
