"""A form as a browser without JavaScript would send it: read off the page."""

from html.parser import HTMLParser

Fields = list[tuple[str, str]]


class PageForm(HTMLParser):
    """The fields of the form with this id, in the order of the page; buttons send nothing by themselves."""

    def __init__(self, page: str, form: str) -> None:
        super().__init__()
        self.fields: Fields = []
        self.action = ""
        self._form = form
        self._inside = False
        self._select: tuple[str, list[str], list[str]] | None = None  # name, all options, chosen ones
        self._area: tuple[str, list[str]] | None = None
        self.feed(page)

    def without(self, *names: str) -> Fields:
        return [(name, value) for name, value in self.fields if name not in names]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("id") == self._form
            self.action = given["action"] if self._inside else self.action
        elif not self._inside:
            return
        elif tag == "input":
            self._input(given, checked="checked" in given)
        elif tag == "textarea":
            self._area = (given["name"], [])
        elif tag == "select":
            self._select = (given["name"], [], [])
        elif tag == "option" and self._select:
            self._select[1].append(given["value"])
            self._select[2].extend([given["value"]] if "selected" in given else [])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._select:
            name, options, chosen = self._select
            self.fields += [(name, (chosen or options)[0])] if options else []
            self._select = None
        elif tag == "textarea" and self._area:
            name, texts = self._area
            # a browser drops the first line end, and sends the others as two characters
            self.fields.append((name, "".join(texts).removeprefix("\n").replace("\n", "\r\n")))
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area:
            self._area[1].append(data)

    def _input(self, given: dict[str, str], *, checked: bool) -> None:
        if given.get("type") not in {"checkbox", "radio"} or checked:
            self.fields.append((given["name"], given.get("value", "on")))
