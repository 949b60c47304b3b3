"""Each gate stops what it is there for, and nothing else."""

from __future__ import annotations

import pytest
from composed import TEMPLATES, a_view

from newsletter.compose.email import compose_email
from newsletter.compose.gates import MAX_BYTES, WARN_BYTES, check_email, check_pages
from newsletter.compose.slots import REQUIRED
from newsletter.diagnostics import Severity
from newsletter.issue.rules import find_rule

SITE = "https://digest.example.org"
LINKS = "".join(f'<a href="{slot.marker}">x</a>' for slot in sorted(REQUIRED))


def codes(body: str, site: str = SITE) -> list[str]:
    return [found.code for found in check_email(LINKS + body, site_url=site)]


def test_composed_mail_passes_every_gate() -> None:
    mail = compose_email(a_view(), TEMPLATES).html
    assert check_email(mail, site_url=SITE) == ()


@pytest.mark.parametrize(
    ("size", "severity"),
    [
        (WARN_BYTES - 1, None),
        (WARN_BYTES, Severity.WARNING),
        (MAX_BYTES - 1, Severity.WARNING),
        (MAX_BYTES, Severity.ERROR),
    ],
)
def test_size_in_bytes_warns_then_fails(size: int, severity: Severity | None) -> None:
    body = LINKS + "é" * ((size - len(LINKS)) // 2)
    body += "x" * (size - len(body.encode()))
    found = [d.severity for d in check_email(body, site_url=SITE) if d.code == "NL801"]
    assert found == ([severity] if severity else [])


@pytest.mark.parametrize(
    "left", ["<mj-text>x</mj-text>", "{{ name }}", "{% if %}", "<%asm%>", "%%NAME%%", "⟦nme⟧",
             "https://slot.invalid/other", "https://sentinel.invalid/1", "⟦name"],
)  # fmt: skip
def test_left_over_is_found(left: str) -> None:
    assert "NL802" in codes(f"<p>{left}</p>")


@pytest.mark.parametrize("fine", ["⟦name⟧", "⟦email⟧", "100%% sure", "{ x }", "&lt;% x %&gt;"])
def test_slots_and_ordinary_signs_are_no_left_over(fine: str) -> None:
    assert codes(f"<p>{fine}</p>") == []


@pytest.mark.parametrize(
    "href",
    ["/archive", "archive.html", "http://example.org/", "//example.org/", "", "ftp://example.org",
     "mailto:nobody", "https://", "#nowhere", "tel:5"],
)  # fmt: skip
def test_link_that_does_not_work_in_a_mail_is_found(href: str) -> None:
    assert codes(f'<a href="{href}">x</a>') == ["NL803"]


@pytest.mark.parametrize(
    "link",
    [
        '<a href="https://example.org/a?b=1&amp;c=2">x</a>',
        '<a href="mailto:a@example.org?subject=x">x</a>',
        '<a name="here"></a><a href="#here">x</a>',
    ],
)
def test_working_link_passes(link: str) -> None:
    assert codes(link) == []


def test_site_on_this_machine_may_be_http() -> None:
    body = '<a href="http://127.0.0.1:8000/x">x</a><img alt="" src="http://127.0.0.1:8000/a.png">'
    assert codes(body, site="http://127.0.0.1:8000") == []


def test_link_inside_an_outlook_comment_is_judged_too() -> None:
    assert codes('<!--[if mso]><v:rect href="/x"></v:rect><![endif]-->') == ["NL803"]


def test_picture_without_alt_is_found_and_empty_alt_is_not() -> None:
    assert codes(f'<img src="{SITE}/a.png">') == ["NL804"]
    assert codes(f'<img src="{SITE}/a.png" alt="">') == []


@pytest.mark.parametrize(
    "body",
    [
        '<img alt="" src="https://tracker.example.com/p.gif">',
        '<img alt="" src="https://digest.example.org.evil.test/p.gif">',
        '<img alt="" src="data:image/png;base64,AAAA">',
        '<img alt="" src="hero.jpg">',
        f'<img alt="" srcset="{SITE}/a.png 1x, https://cdn.example.com/b.png 2x">',
        '<td background="https://cdn.example.com/x.png">x</td>',
        "<style>@import 'https://fonts.example.com/x.css';</style>",
        '<p style="background:url(https://cdn.example.com/x.png)">x</p>',
        '<!--[if mso]><v:fill src="https://cdn.example.com/x.png"/><![endif]-->',
    ],
)
def test_anything_loaded_from_elsewhere_is_found(body: str) -> None:
    assert "NL805" in codes(body)


def test_pictures_of_the_site_pass() -> None:
    assert codes(f'<img alt="" src="{SITE}/a.png" srcset="{SITE}/a.png 1x, {SITE}/b.png 2x">') == []


def test_each_missing_slot_is_named() -> None:
    messages = [found.message for found in check_email("<p>x</p>", site_url=SITE)]
    assert messages == [
        "the e-mail has no link to preferences",
        "the e-mail has no link to unsubscribe",
        "the e-mail has no link to web",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "<script>x</script>",
        "<SCRIPT>x</SCRIPT>",
        "<form></form>",
        '<iframe title="x"></iframe>',
        '<p onclick="x()">x</p>',
        '<a href="javascript:x()">x</a>',
        '<a href="&#106;avascript:x()">x</a>',
    ],
)
def test_active_content_is_found(body: str) -> None:
    assert "NL807" in codes(body)


def test_all_findings_come_at_once_each_with_its_place() -> None:
    found = check_email(f'{LINKS}\n<img src="{SITE}/a.png">\n  <a href="/x">x</a>', site_url=SITE)
    assert [(d.code, d.line, d.column) for d in found] == [("NL803", 3, 3), ("NL804", 2, 1)]


def test_code_and_name_are_those_of_the_rule_that_explain_shows() -> None:
    for found in check_email('<p>{{ x }}<img src="/a.png"></p><a href="/x">x</a>', site_url=SITE):
        rule = find_rule(found.code)
        assert rule is not None
        assert (found.name, found.severity) == (rule.name, rule.severity)
        assert rule.check is None


@pytest.mark.parametrize(("pages", "codes"), [(1, []), (2, []), (3, ["NL808"])])
def test_more_than_two_pages_are_a_warning(pages: int, codes: list[str]) -> None:
    found = check_pages(pages)
    assert [(d.code, d.path, d.severity) for d in found] == [
        (code, "issue.pdf", Severity.WARNING) for code in codes
    ]
    assert all(f"{pages} pages" in d.message for d in found)
