"""Page loads are added up, whoever adds at once."""

from __future__ import annotations

from threading import Thread

import pytest

from newsletter.stats.views import Views, count_views, views
from newsletter.store.engine import open_url
from tests.stats.histories import History

DAY = "2026-03-02"


def test_increments_are_added_to_what_is_there(store):
    for increments in (
        {(DAY, "2.20", "web"): 3, (DAY, "2.20", "pdf"): 1},
        {(DAY, "2.20", "web"): 2, ("2026-03-03", "2.20", "web"): 5, (DAY, "2.21", "web"): 1},
        {(DAY, "2.22", "web"): 0},
        {},
    ):
        with store.begin() as conn:
            count_views(conn, increments)
    with store.read() as conn:
        assert views(conn) == {"2.20": Views(web=10, pdf=1), "2.21": Views(web=1, pdf=0)}


def test_two_servers_that_add_at_once_lose_nothing(store, database_url):
    keys = [(DAY, f"2.{number}", form) for number in range(1, 20) for form in ("web", "pdf")]

    def serve(order):
        with open_url(database_url) as own:
            for _ in range(10):
                with own.begin() as conn:
                    count_views(conn, dict.fromkeys(order, 1))

    servers = [Thread(target=serve, args=(order,)) for order in (keys, keys[::-1])]
    for server in servers:
        server.start()
    for server in servers:
        server.join(timeout=60)
    with store.read() as conn:
        assert set(views(conn).values()) == {Views(web=20, pdf=20)}


@pytest.mark.parametrize("was_served", [False, True])
def test_no_load_is_0_only_where_loads_are_counted(store, was_served):
    from newsletter.stats.numbers import statistics_of

    history = History(store)
    history.join()
    history.send("2.20")
    if was_served:
        with store.begin() as conn:
            count_views(conn, {(DAY, "2.19", "pdf"): 1})
    with store.read() as conn:
        numbers = statistics_of(conn, "2.20")
    assert numbers.web_views == numbers.pdf_views == (0 if was_served else None)
    assert ("web_views" in numbers.unknown) is not was_served
