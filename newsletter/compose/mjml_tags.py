"""The tags of MJML 4 that an e-mail of ours may use: where they may stand, what they may carry.

mjml-python drops an unknown attribute without a word and lets an unknown tag
through as it is, so `mjml_check` asks this table first. From MJML's own
`allowedAttributes` and `dependencies`, less what mjml-python drops; a test puts
every entry to it.

Left out on purpose: mj-accordion, mj-carousel, mj-navbar (they need what most mail clients
do not have), mj-hero (a background picture), mj-social and mj-font (third-party requests),
mj-include (use Jinja's {% include %}), mj-html-attributes (mjml-python refuses it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PADDING = _names("padding padding-top padding-right padding-bottom padding-left")
_BORDER = _names("border border-radius border-top border-right border-bottom border-left")
_FONT = _names(
    "color font-family font-size font-style font-weight letter-spacing line-height"
    " text-decoration text-transform"
)
_BACKGROUND = _names(
    "background-color background-url background-repeat background-size background-position"
    " background-position-x background-position-y"
)
_EVERYWHERE = frozenset({"css-class", "mj-class"})  # in the body

_IN_COLUMN = frozenset({"mj-column"})


@dataclass(frozen=True, kw_only=True)
class Tag:
    """*content*: it holds text, HTML or CSS instead of MJML."""

    parents: frozenset[str]
    attributes: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    content: bool = False


TAGS: Mapping[str, Tag] = {
    "mjml": Tag(parents=frozenset(), attributes=_names("lang dir"), required=_names("lang")),
    "mj-head": Tag(parents=_names("mjml")),
    "mj-title": Tag(parents=_names("mj-head"), content=True),
    "mj-preview": Tag(parents=_names("mj-head"), content=True),
    "mj-style": Tag(parents=_names("mj-head"), content=True),
    "mj-breakpoint": Tag(
        parents=_names("mj-head"), attributes=_names("width"), required=_names("width")
    ),
    "mj-attributes": Tag(parents=_names("mj-head")),
    "mj-all": Tag(parents=_names("mj-attributes")),
    "mj-class": Tag(parents=_names("mj-attributes"), required=_names("name")),
    "mj-raw": Tag(
        parents=_names("mj-head mj-body mj-wrapper mj-section mj-group mj-column"), content=True
    ),
    "mj-body": Tag(
        parents=_names("mjml"), attributes=_names("background-color width") | _EVERYWHERE
    ),
    "mj-wrapper": Tag(
        parents=_names("mj-body"),
        attributes=_BACKGROUND | _BORDER | _PADDING | _EVERYWHERE | _names("full-width text-align"),
    ),
    "mj-section": Tag(
        parents=_names("mj-body mj-wrapper"),
        attributes=_BACKGROUND
        | _BORDER
        | _PADDING
        | _EVERYWHERE
        | _names("direction full-width text-align"),
    ),
    "mj-group": Tag(
        parents=_names("mj-section"),
        attributes=_EVERYWHERE | _names("background-color direction vertical-align width"),
    ),
    "mj-column": Tag(
        parents=_names("mj-section mj-group"),
        attributes=_BORDER
        | _PADDING
        | _EVERYWHERE
        | {"inner-" + name for name in _BORDER}
        | _names("background-color inner-background-color direction vertical-align width"),
    ),
    "mj-text": Tag(
        parents=_IN_COLUMN,
        attributes=_FONT
        | _PADDING
        | _EVERYWHERE
        | _names("align container-background-color height"),
        content=True,
    ),
    "mj-image": Tag(
        parents=_IN_COLUMN,
        attributes=_names("border border-radius")
        | _PADDING
        | _EVERYWHERE
        | _names(
            "align alt container-background-color fluid-on-mobile font-size height href"
            " max-height rel src srcset target title usemap width"
        ),
        required=_names("src alt"),
        content=True,
    ),
    "mj-button": Tag(
        parents=_IN_COLUMN,
        attributes=_FONT
        | _BORDER
        | _PADDING
        | _EVERYWHERE
        | _names(
            "align background-color container-background-color height href inner-padding name"
            " rel target text-align vertical-align width"
        ),
        required=_names("href"),
        content=True,
    ),
    "mj-divider": Tag(
        parents=_IN_COLUMN,
        attributes=_PADDING
        | _EVERYWHERE
        | _names("align border-color border-style border-width container-background-color width"),
    ),
    "mj-spacer": Tag(
        parents=_IN_COLUMN,
        attributes=_PADDING | _EVERYWHERE | _names("container-background-color height"),
    ),
    "mj-table": Tag(
        parents=_IN_COLUMN,
        attributes=_PADDING
        | _EVERYWHERE
        | _names(
            "align border cellpadding cellspacing color container-background-color font-family"
            " font-size line-height table-layout width"
        ),
        content=True,
    ),
}

# What may stand in mj-attributes for all tags at once.
ANY_ATTRIBUTE = frozenset().union(*(tag.attributes for tag in TAGS.values())) - {"mj-class"}

# HTML elements without an end tag (HTML Living Standard §13.1.2).
VOID = _names("area base br col embed hr img input link meta source track wbr")
