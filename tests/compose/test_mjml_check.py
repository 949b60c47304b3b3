"""Faults in MJML get a place; the table of tags agrees with mjml-python."""

from __future__ import annotations

from pathlib import Path

import pytest
from mjml import mjml2html

from newsletter.compose.mjml_check import Fault, faults, line_of_byte, template_place
from newsletter.compose.mjml_tags import TAGS


def document(body: str, head: str = "") -> str:
    return f'<mjml lang="en">\n<mj-head>{head}</mj-head>\n<mj-body>\n{body}\n</mj-body>\n</mjml>\n'


def column(content: str) -> str:
    return document(f"<mj-section><mj-column>\n{content}\n</mj-column></mj-section>")


def the_fault(mjml: str) -> Fault:
    found = faults(mjml)
    assert len(found) == 1, found
    return found[0]


def test_sound_document_has_no_faults() -> None:
    head = (
        "<mj-title>a &amp; b</mj-title><mj-attributes><mj-all padding='0px' /><mj-class name='x'"
        " color='#000' /><mj-text color='#000' /></mj-attributes>"
        "<mj-style>a > b { color: red } /* <p> */</mj-style>"
        '<mj-raw><meta name="x" content="y"></mj-raw>'
    )
    body = (
        "<mj-section><mj-column><mj-text mj-class='x'>a<br>b <img src='x' alt='>'> <em>c</em>"
        "</mj-text><!-- <mj-nothing> --></mj-column></mj-section>"
    )
    assert faults(document(body, head)) == []


@pytest.mark.parametrize(
    ("mjml", "line", "message"),
    [
        (column("<mj-txet>a</mj-txet>"), 5, "unknown tag <mj-txet>; did you mean <mj-text>?"),
        (column("<mj-text paddin='1px'>a</mj-text>"), 5, "did you mean “padding”?"),
        (column("<mj-text\n paddin='1px'>a</mj-text>"), 5, "knows no attribute “paddin”"),
        (column("<mj-text padding>a</mj-text>"), 5, "“padding” of <mj-text> has no value"),
        (column("<mj-text align=left>a</mj-text>"), 5, "has no value in quotes"),
        (column("<mj-text align='left' align='right'>a</mj-text>"), 5, "“align” twice"),
        (column("<mj-image src='x' />"), 5, "<mj-image> needs “alt”"),
        (column("<p>a</p>"), 5, "<p> stands in <mj-column>: put HTML into <mj-text>"),
        (column("<mj-section></mj-section>"), 5, "<mj-section> stands in <mj-column>; its place"),
        (document("<mj-text>a</mj-text>"), 4, "<mj-text> stands in <mj-body>; its place is"),
        (document("<mj-include path='x' />"), 4, "unknown tag <mj-include>"),
        (column("<mj-text>a\n<b>c</mj-text>"), 6, "</mj-text> comes before </b>"),
        (column("<mj-text>a</p></mj-text>"), 5, "</p> comes before </mj-text>"),
        (column("<mj-text>1 < 2</mj-text>"), 5, "this < opens no tag"),
        (column("<mj-text align='left>a</mj-text>"), 5, "this < opens no tag"),
        (column("<mj-text>a</mj-text>\nloose words"), 6, "“loose” stands in <mj-column>"),
        (column("<!-- never closed"), 5, "this comment is never closed"),
        (document("", "<mj-style>\na {}"), 2, "<mj-style> is never closed"),
        (document("loose words"), 4, "“loose” stands in <mj-body>"),
        (column("<mj-text padding='0 24px'>a</mj-text>"), 5, "is not in px, as in 0px 24px"),
        (column("<mj-text padding='huge'>a</mj-text>"), 5, "is not in px"),
        (column("<mj-text>a\n\x00</mj-text>"), 6, "a control character, U+0000"),
        (document("", "<mj-style>\na { b: c;\n</mj-style>"), 4, "a { in these styles"),
        (document("", "<mj-style>\na b: c }\n</mj-style>"), 3, "this } closes nothing"),
        (document("", "<mj-style>\na /* } {\n</mj-style>"), 3, "this comment is never closed"),
        (document("", "<mj-style>\na < b {}\n</mj-style>"), 3, "there is no < in CSS"),
        ("", 1, "there is no <mjml>"),
        ("<mj-body></mj-body>", 1, "<mj-body> stands at the top"),
        ("</mjml>", 1, "</mjml> closes nothing"),
        (document("<mj-section>"), 5, "</mj-body> comes before </mj-section>"),
        ('<mjml lang="en">\n<mj-body></mj-body>', 1, "<mjml> is never closed"),
    ],
)
def test_fault_has_its_line(mjml: str, line: int, message: str) -> None:
    found = faults(mjml)
    assert (found[0].line, found[0].message) == (line, found[0].message)
    assert message in found[0].message


def test_all_unknown_attributes_are_reported_at_once() -> None:
    assert len(faults(column("<mj-text a='1' b='2'>x</mj-text>\n<mj-spacer c='3' />"))) == 3


def test_defaults_in_the_head_need_no_required_attributes() -> None:
    head = "<mj-attributes><mj-image padding='0px' /></mj-attributes>"
    assert faults(document("", head)) == []


def test_byte_offset_behind_wide_characters_gives_the_right_line() -> None:
    text = "ä日本\nb\nc"
    assert line_of_byte(text, len("ä日本\nb\n".encode())) == 3


def test_fault_is_traced_to_its_template_line(tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "a.j2").write_text(
        "{% if x %}\n<mj-text paddin='1px'>{{ y }}</mj-text>\n"
    )
    fault = Fault(1, "…", "paddin")
    mjml = "<mj-text paddin='1px'>words</mj-text>"
    assert str(template_place(tmp_path, mjml, fault)).endswith("a.j2:2")


def test_fault_that_two_template_lines_could_be_is_not_traced(tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "a.j2").write_text("<p>{{ x }}\n<p>{{ y }}\n")
    assert template_place(tmp_path, "<p>words", Fault(1, "…", "<p")) is None


VALUES = {
    "align": "right", "text-align": "right", "vertical-align": "bottom", "direction": "rtl",
    "full-width": "full-width", "fluid-on-mobile": "true", "background-repeat": "no-repeat",
    "background-size": "cover", "background-position": "bottom left",
    "background-position-x": "right", "background-position-y": "bottom",
    "background-url": "https://example.org/x.png", "width": "77px", "height": "77px",
    "max-height": "77px", "padding": "7px 8px 9px 6px", "font-size": "21px",
    "border-width": "7px", "border-style": "dotted", "border": "3px solid #123456",
    "inner-border": "3px solid #123456",
    "inner-padding": "7px", "font-weight": "800", "table-layout": "fixed",
}  # fmt: skip
# Only seen together with another attribute.
WITH = {
    "href": "", "rel": ' href="https://example.org/"', "target": ' href="https://example.org/"',
    "name": "", "title": "",
    **dict.fromkeys(
        ["background-repeat", "background-size", "background-position", "background-position-x",
         "background-position-y"], ' background-url="https://example.org/y.png"',
    ),
}  # fmt: skip


def body_with(tag: str, attribute: str) -> str:
    inside = {
        "mj-body": "<mj-body{}><mj-section></mj-section></mj-body>",
        "mj-wrapper": "<mj-body><mj-wrapper{}><mj-section></mj-section></mj-wrapper></mj-body>",
        "mj-section": "<mj-body><mj-section{}><mj-column></mj-column></mj-section></mj-body>",
        "mj-group": "<mj-body><mj-section><mj-group{}><mj-column></mj-column><mj-column>"
        "</mj-column></mj-group></mj-section></mj-body>",
        "mj-column": "<mj-body><mj-section><mj-column{}><mj-text>x</mj-text></mj-column>"
        "<mj-column></mj-column></mj-section></mj-body>",
    }.get(
        tag,
        "<mj-body><mj-section><mj-column>"
        + {
            "mj-image": '<mj-image src="https://example.org/x.png" alt=""{} />',
            "mj-divider": "<mj-divider{} />",
            "mj-spacer": "<mj-spacer{} />",
            "mj-table": "<mj-table{}><tr><td>x</td></tr></mj-table>",
        }.get(tag, f"<{tag}{{}}>x</{tag}>")
        + "</mj-column></mj-section></mj-body>",
    )
    head = '<mj-head><mj-attributes><mj-class name="c" color="#010203" padding="7px"'
    head += ' background-color="#010203" /></mj-attributes></mj-head>'
    return f'<mjml lang="en">{head}{inside.format(attribute)}</mjml>'


@pytest.mark.parametrize(
    ("tag", "attribute"),
    sorted(
        (name, attribute)
        for name, tag in TAGS.items()
        for attribute in tag.attributes
        if name not in ("mjml", "mj-breakpoint")
    ),
)
def test_every_attribute_of_the_table_changes_what_mjml_python_writes(
    tag: str, attribute: str
) -> None:
    if attribute == "mj-class":
        given, without = ' mj-class="c"', ""
    else:
        without = WITH.get(attribute, "")
        if attribute.startswith("inner-") and tag == "mj-column":
            without = ' padding="5px"'
        default = "7px" if "padding" in attribute or "radius" in attribute else "#010203"
        if attribute.startswith(("border-", "inner-border-")) and default != "7px":
            default = "3px solid #010203" if "color" not in attribute else default
        given = f'{without} {attribute}="{VALUES.get(attribute, default)}"'
    assert mjml2html(body_with(tag, given), fonts={}) != mjml2html(
        body_with(tag, without), fonts={}
    )
