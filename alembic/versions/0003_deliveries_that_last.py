"""What the queue of an endpoint needs to guard itself, and quick answers about held mail."""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    held = sa.text("verdict = 'hold'")
    op.create_index("ix_decision_held", "decision", ["message_id"], sqlite_where=held, postgresql_where=held)


def downgrade() -> None:
    op.drop_index("ix_decision_held", "decision")
