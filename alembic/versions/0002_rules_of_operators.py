"""Rules made of conditions, trials of rules, the big switch, and an order in the queue."""

from typing import Any

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FACTS = sa.JSON(none_as_null=True)
MOMENT = sa.DateTime(timezone=True)
LINKS = "links"  # a detector by name only: any mail with a delivery link, or any mail when none is needed


def upgrade() -> None:
    _rules()
    _switch()
    _queue()
    _trials()
    op.add_column("raw", sa.Column("headers", FACTS, nullable=True))
    with op.batch_alter_table("folder") as folder:  # a UIDVALIDITY may have 32 bits
        for name in ("uidvalidity", "mark", "baseline"):
            folder.alter_column(name, type_=sa.BigInteger())


def _rules() -> None:
    with op.batch_alter_table("rule") as rule:
        rule.add_column(sa.Column("external_id", sa.String(), nullable=True))
        rule.add_column(sa.Column("archived_at", MOMENT, nullable=True))
        rule.create_unique_constraint(op.f("uq_rule_external_id"), ["external_id"])
    op.add_column("rule_version", sa.Column("name", sa.String(), nullable=False, server_default=""))
    op.add_column("rule_version", sa.Column("restored_from", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE rule_version SET name = (SELECT rule.name FROM rule WHERE rule.id = rule_version.rule_id)"
    )
    op.create_index("ix_decision_matched", "decision", ["matched", "created_at", "rule_id"])
    table = sa.table("rule_version", sa.column("id", sa.Integer()), sa.column("definition", FACTS))
    connection = op.get_bind()
    for version_id, definition in connection.execute(sa.select(table.c.id, table.c.definition)).all():
        changed = table.update().where(table.c.id == version_id).values(definition=_of_conditions(definition))
        connection.execute(changed)


def _of_conditions(definition: dict[str, Any]) -> dict[str, Any]:
    """What asked for one detector asks for it in a condition."""
    rest = {key: value for key, value in definition.items() if key != "detector"}
    condition = {**_asked(definition), "header": "", "negated": False, "exact": False}
    return rest | {"conditions": {"mode": "all", "items": [condition], "negated": False}}


def _asked(definition: dict[str, Any]) -> dict[str, Any]:
    detector = definition["detector"]
    if detector != LINKS:
        return {"field": "detector", "operator": "equals", "values": [detector]}
    if definition.get("links_required", True):
        return {"field": "link", "operator": "present", "values": []}
    return {"field": "size", "operator": "larger", "values": ["0"]}  # any mail at all


def _switch() -> None:
    for column in (
        sa.Column("sending", sa.String(length=24), nullable=False, server_default="on"),
        sa.Column("resume_per_minute", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("resume_from", MOMENT, nullable=True),
        sa.Column("require_attachments", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("sender_priority", FACTS, nullable=False, server_default="{}"),
    ):
        op.add_column("setting", column)
    op.execute("UPDATE setting SET sending = 'paused' WHERE NOT sending_enabled")
    op.drop_column("setting", "sending_enabled")


def _queue() -> None:
    op.add_column("delivery", sa.Column("priority", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("delivery", sa.Column("deaths", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("delivery", sa.Column("in_line_since", MOMENT, nullable=True))
    line = ["state", "priority", "id", "in_line_since"]
    _index("ix_delivery_line", "delivery", line, "in_line_since IS NOT NULL")
    op.drop_index("ix_delivery_lease", "delivery")
    op.drop_index("ix_delivery_due", "delivery")
    due = ["state", "endpoint_id", "priority", "due_at", "id", "in_line_since"]
    _index("ix_delivery_due", "delivery", due, "state = 'pending'")
    op.drop_index("ix_delivery_held", "delivery")
    held = [
        "state",
        "attempts",
        "release_at",
        "expires_at",
        "in_line_since",
        "planned_for",
        "needs_attention",
    ]
    _index("ix_delivery_held", "delivery", held, "state = 'held'")
    op.drop_index("ix_message_waiting", "message")
    waiting = ["state", "decide_tries", "id", "decide_owner", "decide_at"]
    _index("ix_message_waiting", "message", waiting, "state = 'stored'")


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _trials() -> None:
    op.execute("ALTER TABLE run RENAME COLUMN listed TO total")
    op.execute("ALTER TABLE run RENAME COLUMN stored TO done")
    op.add_column("run", sa.Column("cancelled", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("run", sa.Column("details", FACTS, nullable=False, server_default="{}"))
    op.create_table(
        "trial_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(length=24), nullable=False),
        sa.Column("live", FACTS, nullable=False),
        sa.Column("draft", FACTS, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_trial_result_message_id_message"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_trial_result_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_result")),
        sa.UniqueConstraint("run_id", "message_id", name=op.f("uq_trial_result_run_id_message_id")),
    )
    op.create_index(op.f("ix_trial_result_message_id"), "trial_result", ["message_id"])
    op.create_index("ix_trial_result_change", "trial_result", ["run_id", "change", "message_id"])
