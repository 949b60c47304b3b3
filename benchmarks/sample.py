"""The repository's newest edition as a mailing, and made-up readers for it."""

from __future__ import annotations

from pathlib import Path

from newsletter.audience.links import Links
from newsletter.audience.tokens import Tokens
from newsletter.cli.shared import sound_issue, workspace_at
from newsletter.compose.edition import compose, planned_date
from newsletter.compose.message import headers_of
from newsletter.delivery.mailing import Frozen, Mailing
from newsletter.delivery.model import Delivery

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("Ada Okafor", "José Núñez", "佐藤 健", "")


def mailing() -> Mailing:
    """Compose the edition; its links are signed with a key of no worth."""
    workspace = workspace_at(str(ROOT))
    folder, issue = sound_issue(None, workspace)
    edition = compose(issue, folder, workspace)
    return Mailing(
        campaign_id=7,
        frozen=Frozen(
            number=edition.number,
            headers=headers_of(
                edition.view, workspace.config, planned_date(edition.view, workspace)
            ),
            web_url=edition.view.issue_url,
        ),
        html=edition.files["email.html"].decode(),
        text=edition.files["email.txt"].decode(),
        links=Links(site_url=workspace.config.site_url, tokens=Tokens([b"k" * 32])),
    )


def deliveries(number: int) -> list[Delivery]:
    """Deliveries to readers half of whose names are not ASCII, as on many real lists."""
    return [
        Delivery(
            subscriber_id=index,
            email=f"reader{index}@example.org",
            name=NAMES[index % len(NAMES)],
            attempts=1,
            place=0,
        )
        for index in range(1, number + 1)
    ]
