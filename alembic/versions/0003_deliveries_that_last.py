"""Receivers that guard themselves and are cared for, notices by mail, tests, and how long things are kept."""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FACTS = sa.JSON(none_as_null=True)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _endpoints()
    _settings()
    _notices()
    _tests()
    op.create_table(
        "database_size",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_database_size")),
    )
    op.add_column("attempt", sa.Column("url", sa.String(), nullable=False, server_default=""))
    op.add_column("message", sa.Column("source_removed_at", MOMENT, nullable=True))
    op.drop_column("sign_in_token", "single_use")  # every link is
    sending = sa.text("state = 'sending'")
    columns = ["state", "endpoint_id", "lease_owner"]
    op.create_index(
        "ix_delivery_sending", "delivery", columns, sqlite_where=sending, postgresql_where=sending
    )
    held = sa.text("verdict = 'hold'")
    op.create_index("ix_decision_held", "decision", ["message_id"], sqlite_where=held, postgresql_where=held)


def _endpoints() -> None:
    for column in (
        sa.Column("url_since", MOMENT, nullable=True),
        sa.Column("state_since", MOMENT, nullable=True),
        sa.Column("parked_for", FACTS, nullable=True),
        sa.Column("authority", sa.String(), nullable=False, server_default=""),
        sa.Column("content", sa.String(length=24), nullable=False, server_default="whole"),
        sa.Column("template", sa.String(), nullable=False, server_default=""),
        sa.Column("extra_headers", sa.LargeBinary(), nullable=True),
        sa.Column("ordered", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("pace", sa.Float(), nullable=False, server_default="2"),
        sa.Column("usual_ms", sa.Float(), nullable=True),
        sa.Column("slowed_at", MOMENT, nullable=True),
        sa.Column("opened", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("open_until", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("saved_by", sa.String(), nullable=False, server_default=""),
        sa.Column("first_pause", sa.Float(), nullable=False, server_default="30"),
        sa.Column("longest_pause", sa.Float(), nullable=False, server_default="600"),
    ):
        op.add_column("endpoint", column)
    op.execute("UPDATE endpoint SET concurrency = 16 WHERE concurrency = 8")  # nobody could choose it before


def _settings() -> None:
    for column in (
        sa.Column("mirror_media", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("mirror_id", sa.Integer(), nullable=True),
        sa.Column("notify_on_failure", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("notify_to", FACTS, nullable=False, server_default="[]"),
        sa.Column("notify_language", sa.String(), nullable=False, server_default="en"),
        sa.Column("keep_sources", sa.Integer(), nullable=False, server_default="365"),
        sa.Column("keep_bodies", sa.Integer(), nullable=False, server_default="365"),
        sa.Column("keep_attempts", sa.Integer(), nullable=False, server_default="365"),
        sa.Column("keep_logs", sa.Integer(), nullable=False, server_default="90"),
        sa.Column("bodies_from", MOMENT, nullable=True),
        sa.Column("attempts_from", MOMENT, nullable=True),
    ):
        op.add_column("setting", column)
    with op.batch_alter_table("setting") as setting:
        setting.create_foreign_key(op.f("fk_setting_mirror_id_endpoint"), "endpoint", ["mirror_id"], ["id"])


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("endpoint_id", sa.Integer(), nullable=True),
        sa.Column("mailbox_id", sa.Integer(), nullable=True),
        sa.Column("reason", FACTS, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("mailed_at", MOMENT, nullable=True),
        sa.Column("seen_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoint.id"], name=op.f("fk_notice_endpoint_id_endpoint")
        ),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_notice_mailbox_id_mailbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    for name in ("at", "endpoint_id", "mailbox_id", "mailed_at"):
        op.create_index(op.f(f"ix_notice_{name}"), "notice", [name])
    op.create_table(
        "mailing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("tried_at", MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", FACTS, nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailing")),
    )


def _tests() -> None:
    op.create_table(
        "endpoint_test",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("endpoint_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("reason", FACTS, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("timings", FACTS, nullable=False),
        sa.Column("request_headers", FACTS, nullable=False),
        sa.Column("answer_headers", FACTS, nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoint.id"], name=op.f("fk_endpoint_test_endpoint_id_endpoint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint_test")),
    )
    op.create_index("ix_endpoint_test_endpoint", "endpoint_test", ["endpoint_id", "id"])
