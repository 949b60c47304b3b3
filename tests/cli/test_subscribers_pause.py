"""`newsletter subscribers show`, of somebody who is passed over by some issues."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from newsletter.audience import subscribers
from newsletter.config import open_workspace
from newsletter.store.engine import open_store


def pause(workspace, email, issues):
    with open_store(open_workspace(workspace)) as store, store.begin() as conn:
        person = subscribers.find(conn, email)
        assert person is not None
        now = datetime.now(UTC)
        assert subscribers.pause_for(conn, person.id, issues, now=now, actor="subscriber")


def test_show_tells_how_many_issues_will_pass_somebody_over(run, workspace, add):
    add("ada", "bo")
    pause(workspace, "ada@example.org", 2)
    pause(workspace, "bo@example.org", 1)
    text = run("subscribers", "show", "ada@example.org").stdout
    assert "mailed     no: paused, for 2 more issues\n" in text
    assert "subscriber.pause  “for 2 issues”  by subscriber" in text
    assert "for 1 more issue\n" in run("subscribers", "show", "bo@example.org").stdout
    shown = json.loads(run("subscribers", "show", "ada@example.org", "--json").stdout)
    assert (shown["issues_left"], shown["status"]) == (2, "paused")
    record = json.loads(run("subscribers", "export", "--email", "ada@example.org").stdout)
    assert record["subscriber"]["pause"]["issues"] == 2
