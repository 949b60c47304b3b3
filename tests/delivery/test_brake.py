"""The brake: a share of failures stops the campaign, a few early ones do not."""

from __future__ import annotations

import pytest

from newsletter.config.sending import DeliveryConfig
from newsletter.delivery.brake import failure_reason

CONFIG = DeliveryConfig(pause_at_failures=10, pause_after=50)


def test_too_large_a_share_is_a_reason_in_words():
    reason = failure_reason(CONFIG, failed=12, decided=80)
    assert reason == "12 of 80 messages failed (15 %; the limit is 10 %)"


@pytest.mark.parametrize(
    ("failed", "decided", "pauses"),
    [
        (49, 49, False),  # too early to say
        (50, 50, True),
        (4, 50, False),
        (5, 50, True),  # at the limit
        (99_999, 1_000_000, False),
        (100_000, 1_000_000, True),
        (0, 50, False),
        (0, 0, False),
    ],
)
def test_campaign_pauses_at_the_limit_once_enough_have_an_outcome(failed, decided, pauses):
    assert (failure_reason(CONFIG, failed=failed, decided=decided) is not None) == pauses


def test_limit_of_100_percent_never_pauses():
    config = DeliveryConfig(pause_at_failures=100, pause_after=1)
    assert failure_reason(config, failed=500, decided=500) is None


def test_limit_of_one_percent_needs_a_failure():
    config = DeliveryConfig(pause_at_failures=1, pause_after=1)
    assert failure_reason(config, failed=0, decided=1) is None
    assert failure_reason(config, failed=1, decided=1) is not None
