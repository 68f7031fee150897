"""The settings that the demo plays with: whoever ends it knows them again, whatever else was saved since."""

POLL_EVERY = 2  # seconds


def window(hour: int) -> tuple[str, str]:
    """Give the demo's window, as it is kept: one hour, two to eight hours after this one."""
    opens = (hour // 6 * 6 + 8) % 24
    return f"{opens:02d}h00", f"{opens + 1:02d}h00"


WINDOWS = frozenset(window(hour) for hour in range(24))
