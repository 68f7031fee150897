"""The fields of a form, as texts and as numbers."""

from starlette.datastructures import FormData

from app.rules.text import whole_number


def text(form: FormData, name: str) -> str:
    return cleaned(form.get(name))


def cleaned(value: object) -> str:
    """Give a field's text without what no database keeps and with one kind of line end; a file has none."""
    return value.replace("\r\n", "\n").replace("\0", "") if isinstance(value, str) else ""


def number_in(form: FormData, name: str) -> int | None:
    return whole_number(text(form, name))
