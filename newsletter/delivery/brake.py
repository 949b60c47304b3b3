"""The brake: stop a campaign when too large a share of it fails. Decides; stops nothing itself."""

from __future__ import annotations

from newsletter.config.sending import DeliveryConfig

_NEVER = 100  # percent, of delivery.pause_at_failures


def failure_reason(config: DeliveryConfig, *, failed: int, decided: int) -> str | None:
    """Return why to pause, in words; None: go on.

    *decided* is accepted + failed. Count both from when sending was begun or resumed:
    else a campaign that a person resumes pauses again at once.
    """
    limit = config.pause_at_failures
    if limit >= _NEVER or failed == 0 or decided < config.pause_after:
        return None
    if failed * 100 < limit * decided:
        return None
    share = failed * 100 // decided
    return f"{failed:,} of {decided:,} messages failed ({share} %; the limit is {limit} %)"
