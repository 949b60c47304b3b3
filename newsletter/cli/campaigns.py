"""Which campaign a command means, and how it is called where people read. Never writes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.shared import LINE
from newsletter.errors import UsageError
from newsletter.issue.folder import ISSUE_FILE
from newsletter.issue.number import IssueNumber

if TYPE_CHECKING:
    import sqlalchemy as sa

    from newsletter.delivery.campaign import Campaign

tag_option = click.option("--tag", type=LINE, help="The campaign to the subscribers with this tag.")


def title(campaign: Campaign) -> str:
    """ "Vol 2.24", "Vol 2.24 to “press”"."""
    tag = campaign.tag
    return f"Vol {campaign.number}" + (f" to “{tag}”" if tag else "")


def command_for(verb: str, campaign: Campaign) -> str:
    """The command to type: "newsletter resume 2.24 --tag press"."""
    tag = campaign.tag
    return f"newsletter {verb} {campaign.number}" + (f" --tag {shlex.quote(tag)}" if tag else "")


def number_named(name: str) -> str:
    """Read "2.24" out of a number, a folder's name or a path; the issue need not be there.

    Raises:
        UsageError: it is none of these.
    """
    path = Path(name.strip())
    folder = path.parent.name if path.name == ISSUE_FILE else path.name
    for read in (IssueNumber.parse, IssueNumber.from_folder):
        try:
            return str(read(re.sub(r"(?i)^vol(?:ume|\.)?\s*(?=\d)", "", folder)))
        except ValueError:
            continue
    raise UsageError(
        f"“{name}” is no issue", hint="write its number, as in 2.24, or its folder, vol-2-24"
    )


def campaign_named(conn: sa.Connection, name: str | None, tag: str | None) -> Campaign:
    """Return the campaign of the issue *name*; without one, the newest that is not finished.

    Where none is unfinished, the newest. One that was cancelled only where there is no other.

    Raises:
        UsageError: there is none; it says which there are.
    """
    from newsletter.delivery.campaign import audience_of, campaigns
    from newsletter.delivery.model import State

    if name is None and tag is None:
        known = campaigns(conn)
    else:
        number = None if name is None else number_named(name)
        known = campaigns(conn, number)
        chosen = [campaign for campaign in known if campaign.audience == audience_of(tag)]
        if known and not chosen:
            others = ", ".join(title(campaign) for campaign in known[:5])
            raise UsageError(f"there is no such campaign; there is {others}", hint="see --tag")
        known = chosen
    if not known:
        what = "nothing" if name is None else f"Vol {number_named(name)}"
        raise UsageError(
            f"{what} was sent yet" if name is None else f"{what} was not sent yet",
            hint="newsletter send sends an issue",
        )
    for states in ((State.SENDING, State.PAUSED), (State.COMPLETED,)):
        for campaign in known:
            if campaign.state in states:
                return campaign
    return known[0]
