"""The web page of an issue: one file that stands alone, for the archive.

Has no script, no third-party request and no personal value, so that it can be
cached, printed, mirrored and served under a strict Content-Security-Policy. The
data block for search engines (JSON-LD) is data, not script.
"""

from __future__ import annotations

import json
from pathlib import Path

from markupsafe import Markup

from newsletter.compose.environment import environment, render
from newsletter.compose.view import View

TEMPLATE = "web/issue.html.j2"

# What could end the <script> element or a line of it (HTML Living Standard, “Restrictions
# for contents of script elements”; ECMA-262 for U+2028 and U+2029).
_UNSAFE_IN_SCRIPT = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def compose_web(view: View, templates: Path) -> str:
    """Render `web/issue.html.j2`. Links to its own files are relative, others absolute.

    Raises:
        TemplateError: the template is missing or broken; file and line are named.
    """
    return render(
        environment(templates, html=True), TEMPLATE, view=view, linked_data=linked_data(view)
    )


def linked_data(view: View) -> Markup:
    """The issue in schema.org's words, safe inside a <script> element."""
    text = json.dumps(_publication_issue(view), ensure_ascii=False, separators=(",", ":"))
    return Markup(text.translate(_UNSAFE_IN_SCRIPT))  # noqa: S704


def _publication_issue(view: View) -> dict[str, object]:
    publisher: dict[str, object] = {
        "@type": "Organization",
        "name": view.publisher_name,
        "address": view.publisher_address,
        "email": view.publisher_contact,
    }
    if view.publisher_website:
        publisher["url"] = view.publisher_website
    issue: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "PublicationIssue",
        "@id": view.issue_url,
        "url": view.issue_url,
        "name": f"{view.title} {view.label}",
        "description": view.preheader,
        "issueNumber": view.number.rpartition(".")[2],
        "datePublished": view.date.isoformat(),
        "inLanguage": view.language,
        "publisher": publisher,
        "isPartOf": {
            "@type": "PublicationVolume",
            "volumeNumber": str(view.volume),
            "isPartOf": {
                "@type": "Periodical",
                "name": view.title,
                "description": view.description,
                "url": view.site_url + "/",
            },
        },
        "encoding": {
            "@type": "MediaObject",
            "contentUrl": view.pdf_url,
            "encodingFormat": "application/pdf",
        },
        "hasPart": [
            {
                "@type": "Article",
                "position": item.position,
                "headline": item.headline.text,
                "url": f"{view.issue_url}#{item.anchor}",
            }
            for item in view.items
        ],
    }
    if view.hero:
        issue["image"] = view.hero.url
    return issue
