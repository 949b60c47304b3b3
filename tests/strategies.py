"""Hypothesis strategies: texts that are nearly issues."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.builders import valid_issue

# Pieces that mean something to Markdown, to YAML or to the rules, in any order.
PIECES = st.sampled_from(
    [
        *(
            "## ",
            "# ",
            "### ",
            "\n",
            "\n\n",
            "\r\n",
            "\r",
            "- ",
            "1. ",
            "> ",
            "    ",
            "\t",
            " ",
            "  ",
        ),
        *(
            "*",
            "**",
            "***",
            "_",
            "`",
            "```",
            "[",
            "]",
            "(",
            ")",
            "](",
            "![",
            "<",
            ">",
            "\\",
            "\\\n",
        ),
        *("<!--", "-->", "<!-- newsletter: allow NL203 x -->", "<b>", "</b>", "<script>", "&amp;"),
        *(
            "&#x202e;",
            "&nbsp;",
            "&bogus;",
            "&#0;",
            "https://example.org",
            "<https://example.org/%C3%BC>",
        ),
        *(
            "[a](https://example.org)",
            "[](x)",
            "![a](b.jpg)",
            "Image Source: ",
            "Sources:",
            "---",
            "...",
        ),
        *("\0", "\x07", "\u00a0", "\u200b", "\ufeff", "\u202e", "\ufffd", "\u2028", "\x85", "\x0b"),
        *(
            '"',
            "'",
            "“",
            "’",
            "a",
            "Word",
            "é",
            "日本",
            "\U0001f468\u200d\U0001f469",
            ".",
            "…",
            "—",
        ),
        *("issue: ", "date: ", "subject: ", "3.4", "2024-03-05", ": ", "# c"),
    ]
)
MARKDOWN = st.lists(PIECES, max_size=40).map("".join)


@st.composite
def mutated_issues(draw: st.DrawFn) -> str:
    """A valid issue with a few cuts, and pieces put into them."""
    text = valid_issue(above="![Two boats](hero.jpg)\nImage Source: Agency\n\n")
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        text = text[:start] + draw(MARKDOWN) + text[end:]
    return text
