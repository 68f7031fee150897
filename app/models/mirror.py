"""Which deliveries are copies for the mirror: whatever becomes of one, it counts for no rule and no mail."""

from sqlalchemy import ColumnElement
from sqlmodel import col

from app.models.delivery import Delivery

COPY = "mirror"  # in a copy's facts


def is_no_copy() -> ColumnElement[bool]:
    """Ask for what goes to a rule's own receivers."""
    none: ColumnElement[bool] = col(Delivery.facts)[COPY].as_boolean().is_not(True)
    return none
