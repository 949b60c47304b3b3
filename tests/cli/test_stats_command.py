"""`newsletter stats`: an issue in lines, all of them in a table, JSON, pictures."""

from __future__ import annotations

import json
import os

import pytest

from newsletter.cli.stats_view import as_text, percent, picture, table
from newsletter.feedback.events import Kind
from newsletter.stats.views import count_views
from newsletter.store.engine import open_url
from tests.stats.histories import History
from tests.stats.issues import a_trend, an_issue


@pytest.fixture
def past(workspace):
    """Two issues: of the first nobody told anything, of the second everything."""
    with open_url(f"sqlite:///{workspace}/.newsletter/newsletter.db") as store:
        history = History(store)
        one, two, three = (history.join(tag="press") for _ in range(3))
        history.send("2.20")
        history.leave(one)
        history.join()
        second = history.send("2.21")
        history.tell(second, two, Kind.DELIVERED)
        history.tell(second, three, Kind.BOUNCED, permanent=True)
        with store.begin() as conn:
            count_views(conn, {("2026-01-06", "2.21", "web"): 812})
    return history


@pytest.mark.usefixtures("past")
def test_issue_is_told_with_what_each_number_is_a_share_of(run):
    done = run("stats", "2.21")
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "Vol 2.21, first delivery 2026-01-05 17:30 UTC"
    for line in (
        "accepted 3 100.0 % of intended",
        "delivered 1 33.3 % of accepted; as reported",
        "bounced 1 33.3 % of accepted; 1 hard, 0 soft",
        "joined 1 since the issue before",
        "left 1 since the issue before",
        "growth 0",
        "list now 2",
        "web views 812 page loads, not people; without known robots",
    ):
        assert line in lines
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.usefixtures("past")
def test_what_nobody_told_is_said_and_never_0(run):
    done = run("stats", "vol-2-20")
    assert "delivered     not reported: nobody tells of each message" in done.stdout
    assert "growth        not known: there is no issue to everyone before it" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.usefixtures("past")
def test_json_has_the_numbers_and_why_some_are_not_known(run):
    newest, oldest = json.loads(run("stats", "--json").stdout)
    assert [newest["issue"], oldest["issue"]] == ["2.21", "2.20"]
    assert json.loads(run("stats", "2.21", "--json").stdout) == [newest]
    assert newest["shares"]["delivered"] == {"of": "accepted", "share": 0.333333}
    assert newest["growth"] == newest["joined"] - newest["left"] == 0
    assert (oldest["delivered"], oldest["unsubscribed"], oldest["web_views"]) == (None, 1, 0)
    assert {name for name, value in oldest.items() if value is None} - {"tag"} == set(
        oldest["unknown"]
    )


@pytest.mark.usefixtures("past")
def test_list_of_issues_is_the_newest_first_with_a_picture_of_the_trend(run):
    done = run("stats", env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"})
    rows = done.stdout.splitlines()
    assert rows[0].split()[:3] == ["issue", "sent", "accepted"]
    assert rows[1].startswith("Vol 2.21  2026-01-05")
    assert rows[2].startswith("Vol 2.20")
    assert any(row.startswith("list size     ██  most 3") for row in rows)
    assert "newsletter stats 2.21 tells more" in done.stderr


@pytest.mark.usefixtures("past")
def test_terminal_without_blocks_gets_digits(run):
    done = run("stats", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert "list size     88  most 3" in done.stdout, done.stderr


@pytest.mark.usefixtures("past")
def test_pictures_are_written_and_not_over_another_file(run, workspace):
    done = run("stats", "--svg", "trend.svg", "--png", "trend.png")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "Pacific Alliance Digest" in (workspace / "trend.svg").read_text(encoding="utf-8")
    assert (workspace / "trend.png").read_bytes().startswith(b"\x89PNG")
    assert "exists already" in run("stats", "--png", "trend.png").stderr
    assert run("stats", "--png", "trend.png", "--force").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("2.20",), "Vol 2.20 was not sent yet"),
        (("2.20", "--tag", "vip"), "Vol 2.20 to “vip” was not sent yet"),
        (("--tag", "vip"), "--tag needs an issue"),
        (("2.20", "--png", "x.png"), "a picture shows all issues"),
        (("--png", "x.png"), "nothing to draw"),
        (("two",), "“two” is no issue"),
    ],
)
def test_what_cannot_be_told_is_refused(run, arguments, message):
    done = run("stats", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_before_anything_was_sent_it_says_so(run):
    assert run("stats").stdout == "nothing was sent yet; newsletter send sends an issue\n"
    assert run("stats", "--json").stdout == "[]\n"


@pytest.mark.parametrize("length", [1, 2, 60, 300])
def test_table_and_picture_fit_80_columns(length):
    for text in (table(a_trend(length), 80), picture(a_trend(length), 80)):
        assert max(map(len, text.splitlines())) <= 80


def test_wide_terminal_shows_more_columns():
    heading = table(a_trend(3), 120).splitlines()[0]
    assert "delivered" in heading
    assert "joined" in heading
    assert len(heading) <= 120


def test_large_numbers_fit_too():
    million = dict.fromkeys(("intended", "accepted", "delivered", "list_then"), 1_234_567)
    many = an_issue("12.26", **million, bounced=12_345, joined=123_456, left=54_321)
    assert max(map(len, table([many], 80).splitlines())) <= 80
    assert max(map(len, table([many], 120).splitlines())) <= 120
    assert max(map(len, as_text(many).splitlines())) <= 80


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1, "100.0 %"),
        (0.99999, "over 99.9 %"),
        (0.5, "50.0 %"),
        (0.0001, "under 0.1 %"),
        (0, "0.0 %"),
    ],
)
def test_shares_are_rounded_but_never_to_all_or_nothing(share, words):
    assert percent(share) == words
