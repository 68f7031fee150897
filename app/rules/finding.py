"""What a detector found in a mail."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A match lacks nothing and meets nothing forbidden."""

    missing: tuple[str, ...] = ()
    forbidden: str | None = None
    delivery_time: str | None = None
    urgent: bool = False

    @property
    def matched(self) -> bool:
        return not self.missing and self.forbidden is None
