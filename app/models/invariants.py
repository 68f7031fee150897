"""What must hold at every moment, each counted by one statement: all answers are 0."""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

STATEMENTS = {
    # every UID ever listed has a row
    "I1": "SELECT coalesce(sum(missing), 0) FROM folder",
    # a decided mail has exactly the deliveries its verdict names
    "I2": """
        SELECT count(*) FROM message
        WHERE state = 'decided' AND expected_deliveries <> (
            SELECT count(*) FROM delivery WHERE delivery.message_id = message.id AND delivery.occurrence = 0)
    """,
    # a delivery leaves `pending` only with an attempt or a named decision that says why; the attempts of
    # those that ended long ago are removed
    "I3": """
        SELECT count(*) FROM delivery
        WHERE (state IN ('sending', 'sent', 'failed')
               AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.delivery_id = delivery.id)
               AND NOT coalesce(finished_at <= (SELECT max(attempts_from) FROM setting), FALSE))
           OR (state IN ('held', 'dropped') AND coalesce(delivery.reason ->> 'code', '') = '')
    """,
}


async def broken_invariants(db: AsyncSession) -> dict[str, int]:
    """Count what breaks each of them."""
    counted = {}
    for name, statement in STATEMENTS.items():
        connection = await db.connection()
        counted[name] = int((await connection.execute(text(statement))).scalar_one())
    return counted
