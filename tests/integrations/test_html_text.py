"""HTML becomes what a reader sees."""

import pytest

from app.integrations.html_text import text_of


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("tar<b>ifs</b>", "tarifs"),
        ("le <b>03/09/2025</b> &agrave; <b>9h30</b>", "le 03/09/2025 à 9h30"),
        ("&amp;agrave; &lt;b&gt;", "&agrave; <b>"),  # decoded once
        ("9&nbsp;h&nbsp;30", "9 h 30"),
        ("tar&shy;ifs\u200b!", "tarifs!"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<div>a<div>b</div>c</div>", "a\nb\nc"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<ul><li>1<li>2</ul>", "1\n2"),
        ("<span>a</span> <span>b</span>", "a b"),
        ("a <i> b </i> c", "a b c"),
        ("a\n\n  b", "a b"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ('<a href="https://example.com">here</a>.', "here."),
        ("<head><title>no</title></head><style>p{}</style><script>no()</script>yes", "yes"),
        ("<!-- no -->yes<!--[if mso]>no<![endif]-->", "yes"),
        ('<div style="color:red; display : NONE">no</div>yes', "yes"),
        ("<div hidden>no</div>yes", "yes"),
        ("<td>a</td>", "a"),
        ("<o:p>a</o:p>b", "ab"),
        ("no <unknown>tag</unknown> < 3 & more", "no tag < 3 & more"),
        ("", ""),
    ],
)
def test_text_is_what_a_reader_sees(html: str, text: str) -> None:
    assert text_of(html) == (text, False)


def test_a_newsletter_is_not_taken_for_a_deep_one() -> None:
    assert text_of("<p>x<li>y<td>z<br>" * 20_000)[1] is False
    assert text_of("<div><span>x</span></div>" * 20_000)[1] is False


@pytest.mark.parametrize(
    "tag", ["<div>", "<b>", "<ul><li>", "<table><tr><td>", "<b><p>", "<a><b><i>", "<font>"]
)
def test_deep_nesting_keeps_the_text_and_says_so(tag: str) -> None:
    text, flattened = text_of(f"start {tag * 60_000} end")
    assert flattened
    assert "start" in text
    assert "end" in text


@pytest.mark.parametrize("piece", ["<", "&amp;", "<a x=1 ", "<!--", "</p>", "&#x1F600;", "<![CDATA["])
def test_a_megabyte_of_pieces_of_html_is_read(piece: str) -> None:
    text_of((piece * (1 << 20))[: 1 << 20])


def test_attributes_beyond_the_limit_are_left_out_and_the_rest_is_read() -> None:
    attributes = "".join(f" a{number}='>'" for number in range(140_000))
    html = f"<!-- <p {'x ' * 2000} --><p {'hidden ' * 900}>no</p><p{attributes} hidden>yes</p>"
    html += f"<b{attributes}/>and no"
    assert text_of(html) == ("yes\nand no", False)
