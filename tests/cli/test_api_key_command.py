"""`newsletter api-key`: a key is shown once, listed without its text, and ended by its name."""

from __future__ import annotations

import json

from newsletter.audience.api_keys import Scope
from newsletter.cli.api_key.create_command import SCOPES


def test_scopes_that_the_command_offers_are_those_that_there_are():
    assert tuple(Scope) == SCOPES


def test_key_is_the_only_thing_on_stdout_and_is_never_shown_again(run):
    made = run(
        *("api-key", "create", "our site", "--scope", "subscribe", "--scope", "status"),
        *("--origin", "https://www.example.org/"),
    )
    assert made.returncode == 0
    text = made.stdout.removesuffix("\n")
    assert text.startswith("nk_")
    assert "not shown again" in made.stderr
    listed = run("api-key", "list", "--json")
    (key,) = json.loads(listed.stdout)
    assert (key["name"], key["scopes"]) == ("our site", ["status", "subscribe"])
    assert key["origins"] == ["https://www.example.org"]
    assert key["revoked_at"] is None
    for shown in (listed, run("api-key", "list")):
        assert text not in shown.stdout + shown.stderr
        assert "our site" in shown.stdout


def test_revoked_key_is_listed_as_such_and_revoking_it_again_is_a_mistake(run):
    run("api-key", "create", "site", "--scope", "metrics")
    assert run("api-key", "revoke", "site").stdout == "“site” is revoked\n"
    assert "revoked" in run("api-key", "list").stdout
    again = run("api-key", "revoke", "site")
    assert again.returncode == 2
    assert "no key “site” is in use" in again.stderr


def test_what_makes_no_key_is_said_and_makes_none(run):
    assert run("api-key", "create", "site").returncode == 2
    bad = run("api-key", "create", "s", "--scope", "status", "--origin", "http://example.org")
    assert bad.returncode == 2
    assert "no origin" in bad.stderr
    listed = run("api-key", "list")
    assert listed.stdout == ""
    assert "there is no key" in listed.stderr
