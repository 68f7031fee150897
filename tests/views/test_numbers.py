"""A number that no row can have is one like any other that no row has."""

import httpx2
import pytest

LARGEST = 2**63 - 1


@pytest.mark.parametrize("number", [LARGEST, LARGEST + 1, 10**40], ids=["fits", "one more", "long"])
async def test_a_number_without_a_row_finds_nothing(ada: httpx2.AsyncClient, number: int) -> None:
    for place in (f"/messages/{number}", f"/deliveries/{number}", f"/polls/{number}"):
        assert (await ada.get(place)).status_code == 404, place
    for place in (f"/messages/{number}/decisions", f"/deliveries/{number}/retries"):
        assert (await ada.post(place)).status_code == 404, place


async def test_the_longest_number_that_is_looked_up_fits_a_column(ada: httpx2.AsyncClient) -> None:
    for place in ("messages", "deliveries", "polls"):
        assert (await ada.get(f"/{place}/{10**18 - 1}")).status_code == 404
