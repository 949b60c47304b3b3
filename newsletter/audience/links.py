"""The addresses in a message that belong to one reader: unsubscribe and preferences.

Each is signed (see `newsletter.audience.tokens`), so that nobody can make one up
for somebody else. They never expire. A path is the same without the site.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from newsletter.audience.tokens import Tokens, tokens_of
from newsletter.config import Workspace

UNSUBSCRIBE = "unsubscribe"
PREFERENCES = "preferences"


@dataclass(frozen=True, kw_only=True)
class Links:
    """Make the links of one newsletter, from subscribers' ids."""

    site_url: str
    tokens: Tokens = field(repr=False)

    def of(self, purpose: str, token: str) -> str:
        """The address of a *token* that was signed for *purpose*, as in `UNSUBSCRIBE`."""
        return f"{self.site_url}/{purpose}/{token}"

    def unsubscribe(self, subscriber_id: int) -> str:
        return self.site_url + self.unsubscribe_path(subscriber_id)

    def preferences(self, subscriber_id: int) -> str:
        return self.site_url + self.preferences_path(subscriber_id)

    def confirm(self, token: str) -> str:
        """*token* is of `newsletter.audience.asking.new_token`: it expires, and counts once."""
        return f"{self.site_url}/confirm/{token}"

    def unsubscribe_path(self, subscriber_id: int) -> str:
        """Below the site's root, with a slash at its beginning."""
        return f"/unsubscribe/{self.tokens.sign(UNSUBSCRIBE, subscriber_id)}"

    def preferences_path(self, subscriber_id: int) -> str:
        """Below the site's root, with a slash at its beginning."""
        return f"/preferences/{self.tokens.sign(PREFERENCES, subscriber_id)}"


def links_of(workspace: Workspace) -> Links:
    """The links of *workspace*; its key is made on first use."""
    return Links(site_url=workspace.config.site_url, tokens=tokens_of(workspace))
