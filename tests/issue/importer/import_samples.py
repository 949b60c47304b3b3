"""One invented issue in every form that people save and write: text, HTML, Markdown, Word."""

from __future__ import annotations

import io
from html import escape

import PIL.Image

TITLE = "US-Japan Alliance Digest Vol 3.7"
PAIRS = (
    (
        "Ferry ministers’ “3+3” talks open in Sapporo",
        (
            "Ministers met in Sapporo on April 2 to compare notes on ferries, harbors and R&D. "
            "Each side brought three officials, hence the name “3+3” for the format. They will "
            "meet again in Portland before the end of the year."
        ),
    ),
    (
        "Joint drill tests 2½ hour evacuation of islands",
        (
            "Coast guards of both countries practiced the evacuation of two small islands on "
            "April 9. The exercise took 2½ hours, about as long as planners had hoped. Some 400"
            " residents took part, many of them with pets & luggage."
        ),
    ),
    (
        "Chip makers sign pact on recycled water",
        (
            "Two chip makers agreed to share a recycling plant in Kumamoto. The plant will "
            "clean 9 tons of water an hour; half of it returns to the factories, the rest to "
            "rice farmers who had feared for their wells."
        ),
    ),
    (
        "Okinawa\u00a0Prefecture opens trade office in Seattle",
        (
            "A trade office for sugar, awamori and software opened in Seattle on April 5. Its "
            "three employees will help firms with labels and customs, the prefecture’s governor"
            " said at the opening [in English]."
        ),
    ),
    (
        "東京 festival honors a century of baseball exchange",
        (
            "Teams from four prefectures and two states played an exhibition of old rules on "
            "April 12 and 13. The oldest player was 81 years old * and hit a single. A museum "
            "lent balls and gloves of the first tour."
        ),
    ),
)
ABOUT = (
    "“US-Japan Alliance Digest” is a bi-weekly summary of bilateral and related developments "
    "compiled by an example institute. To receive “Alliance Digest” via email, contact"
)
HEADLINES = tuple(headline for headline, _ in PAIRS)
BULLETS = tuple(bullet for _, bullet in PAIRS)


def text_page(
    *,
    pairs: tuple[tuple[str, str], ...] = PAIRS,
    title: str = TITLE,
    credit: str | None = "Image Source: Harbor Press",
    sign: str = "  • ",
    extra: str = "",
) -> str:
    """A published page as plain text."""
    headlines = "\n".join(f"{sign}{headline}" for headline, _ in pairs)
    bullets = "\n".join(f"{sign}{bullet}" for _, bullet in pairs)
    return (
        f"{title}\n\nDownload this publication (PDF)\n\nPublications {title}\n\n"
        f"Download {title}\n\n\n{credit or ''}\n{headlines}\n\n\n{bullets}\n{extra}\n"
        f"{ABOUT}\n\nDownload {title}\n\n2031 Example Institute | Privacy Policy | Sitemap\n\n"
        "Custom WordPress Design, Development & Digital Marketing by example4you"
    )


def html_lists(sign: str = "") -> tuple[str, str]:
    return tuple(
        "<ul>\n" + "\n".join(f"<li>{sign}{_html(text)}</li>" for text in texts) + "\n</ul>"
        for texts in (HEADLINES, BULLETS)
    )  # type: ignore[return-value]


def html_signs() -> tuple[str, str]:
    return tuple(
        "\n".join(f"<p>&nbsp; &bull;&nbsp;{_html(text)}</p>" for text in texts)
        for texts in (HEADLINES, BULLETS)
    )  # type: ignore[return-value]


def html_breaks() -> tuple[str, str]:
    return tuple(
        "<p>" + "<br />\n".join(f"• {_html(text)}" for text in texts) + "</p>"
        for texts in (HEADLINES, BULLETS)
    )  # type: ignore[return-value]


def html_strong() -> tuple[str, str]:
    headlines = "\n".join(f"<div><strong>{_html(text)}</strong></div>" for text in HEADLINES)
    bullets = "\n".join(f"<div><div><p>{_html(text)}</p></div></div>" for text in BULLETS)
    return headlines, bullets


def html_by_turns() -> tuple[str, str]:
    body = "\n".join(f"<h3>{_html(head)}</h3>\n<p>{_html(text)}</p>" for head, text in PAIRS)
    return body, ""


def html_list_by_turns() -> tuple[str, str]:
    items = "\n".join(f"<li><b>{_html(head)}</b><br>{_html(text)}</li>" for head, text in PAIRS)
    return f"<ol>{items}</ol>", ""


def _html(text: str) -> str:
    """As WordPress writes it: entities for quotes and ampersands, text wrapped anywhere."""
    text = escape(text, quote=False).replace("“", "&#8220;").replace("”", "&#8221;")
    return text.replace("’", "&#8217;").replace("\u00a0", "&nbsp;").replace("½", "&frac12;")


def html_page(lists: tuple[str, str], *, picture: str = "", head: str = "") -> str:
    """A published page of a WordPress site, furniture and all."""
    return f"""<!DOCTYPE html>
<html lang="en-US"><head><meta charset="UTF-8"><title>{TITLE} - Example Institute</title>
{head}<script>var x = "<li>not content</li>";</script><style>li {{ color: red }}</style></head>
<body class="post-template has-sidebar">
<a class="skip-link screen-reader-text" href="#content">Skip to content</a>
<header class="site-header"><div class="logo"><img src="logo.png" alt="Example"></div>
<nav><ul><li><a href="/">Home</a></li><li><a href="/about/">About</a></li></ul></nav></header>
<div class="breadcrumbs"><a href="/">Home</a> &raquo; <a href="/p/">Publications</a></div>
<div id="content" class="elementor-widget-wrap"><article class="post">
<header><h1 class="entry-title">{TITLE}</h1>
<div class="sharedaddy"><ul><li>Share on Facebook</li><li>Tweet</li></ul></div></header>
<div class="entry-content">
<p><a href="https://example.org/digest.pdf">Download this publication (PDF)</a></p>
{picture}
{lists[0]}
<p>&nbsp;</p>
{lists[1]}
<p><em>{_html(ABOUT)} <a href="/cdn-cgi/l/email-protection">[email&#160;protected]</a></em></p>
<p><a href="https://example.org/digest.pdf">Download {TITLE}</a></p>
</div>
<section class="related-posts"><h3>Related Posts</h3><ul><li>US-Japan Alliance Digest Vol 3.6
</li><li>A talk about something else that is long enough to be a text of its own here</li></ul>
</section></article></div>
<aside><ul><li>Popular: a list that stands in the sidebar</li></ul></aside>
<footer><p>&copy; 2031 Example Institute | <a href="/privacy/">Privacy Policy</a></p></footer>
</body></html>"""


def two_lists_draft(*, front: str = "", title: str = f"# {TITLE}\n\n", sign: str = "- ") -> str:
    """A draft in Markdown, with what Markdown would take for markup escaped."""
    parts = [
        "\n".join(sign + text.replace("*", "\\*").replace("&", "&amp;") for text in texts)
        for texts in (HEADLINES, BULLETS)
    ]
    return f"{front}{title}{parts[0]}\n\n## Bullets\n\n{parts[1]}\n"


def picture_bytes(kind: str = "JPEG", size: tuple[int, int] = (64, 32)) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", size, (20, 60, 120)).save(buffer, kind)
    return buffer.getvalue()
