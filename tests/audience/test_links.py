"""Personal links: signed for one reader and one purpose, the same every time."""

from __future__ import annotations

from newsletter.audience.links import PREFERENCES, UNSUBSCRIBE, Links
from newsletter.audience.tokens import Tokens

TOKENS = Tokens([b"s" * 32])
LINKS = Links(site_url="https://digest.example.org", tokens=TOKENS)


def test_link_leads_to_its_page_and_back_to_the_reader():
    unsubscribe, preferences = LINKS.unsubscribe(7), LINKS.preferences(7)
    assert unsubscribe.startswith("https://digest.example.org/unsubscribe/")
    assert preferences.startswith("https://digest.example.org/preferences/")
    assert TOKENS.verify(UNSUBSCRIBE, unsubscribe.rpartition("/")[2]) == 7
    assert TOKENS.verify(PREFERENCES, preferences.rpartition("/")[2]) == 7
    assert TOKENS.verify(PREFERENCES, unsubscribe.rpartition("/")[2]) is None


def test_links_differ_by_reader_and_stay_the_same():
    assert LINKS.unsubscribe(7) == LINKS.unsubscribe(7) != LINKS.unsubscribe(8)


def test_link_objects_do_not_print_their_keys():
    assert "ssss" not in repr(LINKS)
