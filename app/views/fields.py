"""The fields of a form, as texts and as numbers."""

from starlette.datastructures import FormData


def text(form: FormData, name: str) -> str:
    return cleaned(form.get(name))


def cleaned(value: object) -> str:
    """Give a field's text without what no database keeps and with one kind of line end; a file has none."""
    return value.replace("\r\n", "\n").replace("\0", "") if isinstance(value, str) else ""


def number_in(form: FormData, name: str) -> int | None:
    return number(text(form, name))


def number(text: str) -> int | None:
    """Read a number that fits a column."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
