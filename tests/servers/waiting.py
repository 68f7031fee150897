"""Waits for a condition instead of a time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

import pytest

T = TypeVar("T")

_STEP = 0.01


def eventually(predicate: Callable[[], T], *, timeout: float = 10.0) -> T:
    """The first truthy value of `predicate`; AssertionError when there is none in time."""
    end = time.monotonic() + timeout
    while not (value := predicate()):
        if time.monotonic() > end:
            pytest.fail(f"still {value!r} after {timeout} s")
        time.sleep(_STEP)
    return value


@overload
async def eventually_async(predicate: Callable[[], Awaitable[T]], *, timeout: float = 10.0) -> T: ...  # noqa: ASYNC109


@overload
async def eventually_async(predicate: Callable[[], T], *, timeout: float = 10.0) -> T: ...  # noqa: ASYNC109


async def eventually_async(
    predicate: Callable[[], Any],
    *,
    timeout: float = 10.0,  # noqa: ASYNC109 - the same word as in its twin
) -> Any:
    """As `eventually`, for a plain or an async predicate, without holding the loop."""
    end = time.monotonic() + timeout
    while True:
        found = predicate()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > end:
            pytest.fail(f"still {value!r} after {timeout} s")
        await asyncio.sleep(_STEP)
