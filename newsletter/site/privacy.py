"""What the privacy page says of this newsletter: from its configuration, in plain words.

What the system keeps and why is the same everywhere and stands in the template. It is
written after what `newsletter.audience` and `newsletter.delivery` do: change it with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.config import Config

_REGIONS = {"eu": "the European Union", "global": "the United States"}


@dataclass(frozen=True, kw_only=True)
class PrivacyView:
    controller: str
    contact: str
    authority: str | None
    recipients: tuple[str, ...]  # who else sees addresses
    paragraphs: tuple[str, ...]


def privacy_view(config: Config) -> PrivacyView:
    privacy, publisher = config.privacy, config.publisher
    return PrivacyView(
        controller=privacy.controller or f"{publisher.name}, {publisher.address}",
        contact=privacy.contact or publisher.contact,
        authority=privacy.authority,
        recipients=(*_of_transport(config), *privacy.processors),
        paragraphs=privacy.paragraphs,
    )


def _of_transport(config: Config) -> tuple[str, ...]:
    if config.transport.kind == "sendgrid":
        region = _REGIONS[config.sendgrid.region]
        words = (
            f"Twilio SendGrid, which delivers the mail from servers in {region}; its tracking of "
            "opens and clicks is turned off in every message"
        )
        return (words,)
    if config.transport.kind == "smtp":
        return ("the operator of the mail server that our mail leaves by",)
    return ()
