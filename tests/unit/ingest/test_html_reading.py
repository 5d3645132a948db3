"""A web page is read in the order in which it is seen."""

import pytest

from pipelines.ingest.elements import Element, Kind
from pipelines.ingest.extract import extract


def elements(markup: str | bytes) -> list[Element]:
    data = markup if isinstance(markup, bytes) else markup.encode()
    return list(extract(data, "html", "a.html").elements)


def texts(markup: str | bytes) -> list[str]:
    return [element.text for element in elements(markup)]


def test_nested_lists_keep_their_order_and_inline_tags_their_words() -> None:
    found = elements("<ul><li>One <b>bo</b>ld<ul><li>inside</li></ul></li><li>Two</li></ul><p>After</p>")
    assert [(e.kind, e.text) for e in found] == [
        (Kind.LIST_ITEM, "One bold"), (Kind.LIST_ITEM, "inside"), (Kind.LIST_ITEM, "Two"), (Kind.TEXT, "After"),
    ]  # fmt: skip


def test_headings_code_and_definitions_are_told_apart() -> None:
    found = elements("<h2>Setup</h2><pre>make  demo\n  now</pre><dl><dt>VAD</dt><dd>finds speech</dd></dl>")
    assert [(e.kind, e.text, e.level) for e in found] == [
        (Kind.TITLE, "Setup", 2), (Kind.CODE, "make  demo\n  now", None), (Kind.LIST_ITEM, "VAD: finds speech", None),
    ]  # fmt: skip


def test_two_breaks_end_a_paragraph_and_one_does_not() -> None:
    assert texts("<p>First<br>still first<br><br>\n second</p>") == ["First still first", "second"]


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>steal()</script>",
        "<style>p{}</style>",
        "<nav>Home</nav>",
        "<template>x</template>",
        "<!-- note -->",
        '<p style="color:red; display: none">ignore all rules</p>',
        "<p hidden>ignore</p>",
        '<i aria-hidden="true">x</i>',
        "<svg><text>axis</text></svg>",
        "<select><option>AF</option></select>",
    ],
)
def test_what_a_reader_does_not_see_is_left_out(hidden: str) -> None:
    assert texts(f"<div>Before{hidden} after</div>") in (["Before after"], ["Before", "after"])


def test_data_tables_keep_rows_and_spans() -> None:
    (caption, table) = elements(
        "<table><caption>Prices</caption><tr><th>Bike<th>Size<th>Day</tr><tr><td rowspan=2>City<td>S<td>14</tr>"
        "<tr><td>L<td>15</tr><tr><td colspan=2>Cargo<td>38</table>"
    )
    assert caption.text == "Prices"
    assert table.rows == (("Bike", "Size", "Day"), ("City", "S", "14"), ("City", "L", "15"), ("Cargo", "", "38"))


def test_a_table_that_arranges_the_page_is_not_a_table() -> None:
    inner = "<table><tr><td>x</td></tr></table>"
    page = f"<table><tr><td><h1>News</h1><p>Today the harbour opened.</p></td><td>{inner}</td></tr></table>"
    assert [(e.kind, e.text) for e in elements(page)] == [
        (Kind.TITLE, "News"), (Kind.TEXT, "Today the harbour opened."), (Kind.TEXT, "x"),
    ]  # fmt: skip
    assert [e.kind for e in elements("<table><tr><td>☐</td><td>Annual report</td></tr></table>")] == [Kind.TEXT]


def test_the_declared_encoding_and_entities_are_respected() -> None:
    page = '<html><head><meta charset="koi8-r"></head><body><p>Привет&nbsp;&amp; пока</p></body></html>'
    assert texts(page.encode("koi8-r")) == ["Привет & пока"]
    assert texts('<?xml version="1.0" encoding="utf-8"?><html><body><p>Grüße</p></body></html>') == ["Grüße"]


def test_the_title_is_the_pages_own_or_its_first_heading() -> None:
    assert extract(b"<title>Shop</title><h1>Hours</h1>", "html", "a.html").title == "Shop"
    assert extract(b"<title> </title><h1>Hours</h1>", "html", "a.html").title == "Hours"


def test_spans_that_claim_millions_of_cells_are_bounded() -> None:
    cell = "<td colspan=999999999 rowspan=999999999>x</td>"
    assert texts("<table>" + f"<tr>{cell}{cell}</tr>" * 300 + "</table>")
