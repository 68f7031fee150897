"""The day that the other tests look at is one that could have been."""

from app.models.invariants import broken_invariants
from tests.views.cast import Cast
from tests.web.client import Site


async def test_the_day_breaks_no_invariant(site: Site, cast: Cast) -> None:
    assert cast.deliveries
    async with site.database.reading() as db:
        assert set((await broken_invariants(db)).values()) == {0}
