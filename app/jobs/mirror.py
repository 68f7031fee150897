"""The mirror: a second receiver that gets the links of each mail, and nothing of it besides."""

from collections.abc import Iterable, Sequence

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Delivery, DeliveryState, Setting
from app.models.delivery import new_webhook_id
from app.models.mirror import COPY

GOING = (DeliveryState.PENDING, DeliveryState.HELD)


def copy_of(
    made: Iterable[Delivery], setting: Setting, *, earlier: Sequence[Delivery] = ()
) -> Delivery | None:
    """Give the copy for the mirror of what is being made for a mail: one for each mail, of what goes first.

    None without links, where the mirror gets the mail itself, and where an `earlier` one has been made.
    """
    going = [delivery for delivery in made if delivery.state in GOING]
    mirror_id = setting.mirror_id if setting.mirror_media else None
    if mirror_id is None or not going or not going[0].facts["links"]:
        return None
    known = [*going, *(delivery for delivery in earlier if delivery.state is not DeliveryState.DROPPED)]
    if any(one.endpoint_id == mirror_id for one in known) or any(COPY in one.facts for one in earlier):
        return None
    first = going[0].model_dump(exclude={"id"})
    own = {"endpoint_id": mirror_id, "webhook_id": new_webhook_id()}
    return Delivery(**first | own | {"facts": {**first["facts"], COPY: True}})


async def made_before(db: AsyncSession, message_id: int | None) -> Sequence[Delivery]:
    """Give what was made for a mail when it was first decided."""
    query = select(Delivery).where(Delivery.message_id == message_id, Delivery.occurrence == 0)
    return (await db.exec(query)).all()
