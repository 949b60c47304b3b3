"""`newsletter subscribers …` as operators meet it: real processes, a real database in a file."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from newsletter.audience.model import Consent, ConsentKind
from newsletter.audience.subscribers import add
from newsletter.cli import newsletter
from newsletter.cli.subscribers_command import COMMANDS, command
from newsletter.config import open_workspace
from newsletter.store.engine import open_store

CONSENT = ("--consent", "asked at the harbor festival, on a paper list")


@pytest.fixture
def people(workspace):
    """Three people on the list, put there without the command line, which takes longer."""
    with open_store(open_workspace(workspace)) as store, store.begin() as conn:
        for email, name, tag in (
            ("ada@example.org", "Ada Okafor", "press"),
            ("ken@example.org", "佐藤 健", "press"),
            ("eve@example.com", "Eve Stone", "trial"),
        ):
            now = datetime.now(UTC)
            given = Consent(kind=ConsentKind.ADDED, wording=CONSENT[1], at=now)
            options = {"name": name, "tags": [tag], "consent": given, "source": "add"}
            add(conn, email, **options, actor="test", now=now)  # type: ignore[arg-type]


@pytest.fixture
def shown(workspace):
    """What `show --json` says about somebody, asked in this process."""
    return lambda email: _asked(workspace, "show", email, "--json")


@pytest.fixture
def listed(workspace):
    """The addresses that `list --json` gives, asked in this process."""
    return lambda *options: [
        person["email"] for person in _asked(workspace, "list", "--json", *options)
    ]


def _asked(workspace, *arguments):
    result = CliRunner().invoke(
        newsletter, ["-C", str(workspace), "subscribers", *arguments], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_help_lists_every_command_in_the_words_of_its_docstring():
    for name, summary in COMMANDS.items():
        found = command.get_command(None, name)  # type: ignore[arg-type]
        assert found is not None
        assert (found.help or "").partition("\n")[0] == summary


def test_unknown_command_suggests_the_near_one(run):
    result = run("subscribers", "eraze")
    assert result.returncode == 2
    assert "Did you mean “erase”?" in result.stderr


# ── add, list, show ─────────────────────────────────────────────────────────


def test_added_person_is_active_with_name_tags_and_the_consent_as_proof(run, shown):
    options = (
        "--name",
        "Ada Okafor",
        "--tag",
        "press",
        "--tag",
        "tokyo",
        "--timezone",
        "Asia/Tokyo",
    )
    result = run("subscribers", "add", "ada@example.org", *options, *CONSENT)
    assert (result.returncode, result.stdout) == (0, "ada@example.org is active\n")
    found = shown("Ada@EXAMPLE.org")
    assert found["name"] == "Ada Okafor"
    assert found["tags"] == ["press", "tokyo"]
    assert found["timezone"] == "Asia/Tokyo"
    assert found["eligible"] is True
    (consent,) = [entry for entry in found["timeline"] if entry["kind"] == "consent"]
    assert (consent["what"], consent["detail"]) == ("added", CONSENT[1])


def test_adding_again_adds_what_is_new_and_says_when_nothing_is(run, people, shown, listed):
    again = run("subscribers", "add", "ada@example.org", *CONSENT)
    assert "nothing changed" in again.stdout
    more = run("subscribers", "add", "ada@EXAMPLE.org", "--tag", "tokyo", *CONSENT)
    assert "what is new was added" in more.stdout
    assert shown("ada@example.org")["tags"] == ["press", "tokyo"]
    assert len(listed()) == 3


def test_add_without_consent_is_refused(run, listed):
    for consent in ((), ("--consent", "  ")):
        result = run("subscribers", "add", "ada@example.org", *consent)
        assert result.returncode == 2
        assert "consent" in result.stderr
        assert listed() == []


@pytest.mark.parametrize(
    ("email", "name", "reason"),
    [
        ("no-address", "", "must have an @-sign"),
        ("a@example.org.", "", "cannot end with a period"),
        ('"a b"@example.org', "", "cannot be subscribed"),
        ("a@[192.0.2.1]", "", "cannot be subscribed"),
        ("jürgen@example.org", "", "cannot be subscribed"),
        ("a@example.org", "x\nBcc: b@example.org", "line break"),
        ("a@example.org", "x\x0bBcc: b@example.org", "control character"),
        ("a@example.org", "\u202egro.elpmaxe", "U+202E"),
        ("a@example.org", "x" * 10_000, "more than 200 characters"),
    ],
)
def test_address_or_name_that_could_do_harm_is_refused_with_the_reason(
    run, email, name, reason, listed
):
    result = run("subscribers", "add", email, "--name", name, *CONSENT)
    assert result.returncode == 2
    assert reason in result.stderr
    assert "Traceback" not in result.stderr
    assert listed() == []


@pytest.mark.parametrize("options", [("--query", b"\xff"), ("--query", "a\nb"), ("--tag", b"\xff")])
def test_text_that_is_no_text_is_refused(run, options):
    result = run("subscribers", "list", *options)
    assert result.returncode == 2
    assert "broken UTF-8" in result.stderr


def test_list_is_narrowed_by_status_tag_and_text(run, people, listed):
    run("subscribers", "remove", "ken@example.org")
    assert listed() == ["ada@example.org", "ken@example.org", "eve@example.com"]
    assert listed("--tag", "press") == ["ada@example.org", "ken@example.org"]
    assert listed("--tag", "press", "--eligible") == ["ada@example.org"]
    assert listed("--status", "unsubscribed") == ["ken@example.org"]
    assert listed("--query", "OKAFOR") == ["ada@example.org"]
    assert listed("--query", "%") == []
    assert listed("--limit", "1") == ["ada@example.org"]


def test_list_for_people_is_a_line_each_and_the_count_goes_to_stderr(run, people):
    result = run("subscribers", "list")
    first, second, third = result.stdout.splitlines()
    assert first.split() == ["ada@example.org", "active", "Ada", "Okafor", "[press]"]
    assert "佐藤 健" in second
    assert third.startswith("eve@example.com")
    assert result.stderr == "3 subscribers\n"


def test_show_of_an_unknown_address_says_so(run, people):
    result = run("subscribers", "show", "nobody@example.org")
    assert result.returncode == 2
    assert "“nobody@example.org” is not on the list" in result.stderr


def test_show_takes_the_number_that_reports_give(run, people, shown):
    number = shown("ken@example.org")["id"]
    assert shown(str(number))["email"] == "ken@example.org"


def test_show_tells_the_history_and_who_made_it(run, people):
    env = {**os.environ, "NEWSLETTER_ACTOR": "Desk of the Harbor Institute"}
    run("subscribers", "tag", "ada@example.org", "+tokyo", env=env)
    result = run("subscribers", "show", "ada@example.org")
    assert "mailed     yes" in result.stdout
    assert "by Desk of the Harbor Institute" in result.stdout


def test_actor_with_a_line_break_is_refused(run):
    env = {**os.environ, "NEWSLETTER_ACTOR": "me\nroot"}
    result = run("subscribers", "add", "ada@example.org", *CONSENT, env=env)
    assert result.returncode == 2
    assert "NEWSLETTER_ACTOR" in result.stderr


def test_actor_is_the_address_that_git_knows_else_the_login_name(run, workspace, shown):
    def who(email, **env):
        clean = {key: value for key, value in os.environ.items() if key != "NEWSLETTER_ACTOR"}
        git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **env}
        run("subscribers", "add", email, *CONSENT, env={**clean, **git})
        return next(e["actor"] for e in shown(email)["timeline"] if e["kind"] == "audit")

    settings = workspace.parent / "gitconfig"
    settings.write_text("[user]\n  email = desk@example.org\n")
    assert who("a@example.org", GIT_CONFIG_GLOBAL=str(settings)) == "desk@example.org"
    assert who("b@example.org", LOGNAME="mara") == "mara"
    assert who("c@example.org", LOGNAME="mara", PATH="/nonexistent") == "mara"


def test_operator_on_the_list_is_not_named_by_address_in_what_outlives_them(run, shown, workspace):
    env = {**os.environ, "NEWSLETTER_ACTOR": "ada@example.org", "LOGNAME": "ada"}
    added = run("subscribers", "add", "Ada@example.org", *CONSENT, env=env)
    assert added.returncode == 0, added.stderr
    assert {entry["actor"] for entry in shown("ada@example.org")["timeline"]} == {"", "ada"}
    assert run("subscribers", "erase", "ada@example.org", "--yes", env=env).returncode == 0
    for path in (workspace / ".newsletter").iterdir():
        assert b"ada@example.org" not in path.read_bytes(), path.name


# ── leaving ─────────────────────────────────────────────────────────────────


def test_removed_person_is_not_mailed_and_not_added_again(run, people, shown):
    assert run("subscribers", "remove", "ada@example.org").stdout == (
        "ada@example.org is unsubscribed\n"
    )
    assert "already" in run("subscribers", "remove", "ada@example.org").stdout
    again = run("subscribers", "add", "ada@example.org", *CONSENT)
    assert again.returncode == 2
    assert "suppressed (unsubscribed)" in again.stderr
    assert "unsuppress" in again.stderr
    assert shown("ada@example.org")["eligible"] is False


def test_remove_of_an_unknown_address_says_so(run, people):
    result = run("subscribers", "remove", "nobody@example.org")
    assert result.returncode == 2
    assert "not on the list" in result.stderr


def test_suppressed_address_need_not_be_on_the_list_and_cannot_be_added(run, shown):
    first = run("subscribers", "suppress", "bob@example.org", "--reason", "bounced")
    assert first.stdout == "bob@example.org is suppressed: bounced\n"
    again = run("subscribers", "suppress", "bob@example.org", "--reason", "bounced")
    assert "already" in again.stdout
    refused = run("subscribers", "add", "BOB@example.org", *CONSENT)
    assert refused.returncode == 2
    assert "bounced" in refused.stderr
    assert shown("bob@example.org")["suppressed"] == "bounced"
    assert "not on the list, and suppressed" in run("subscribers", "show", "bob@example.org").stdout


def test_lifting_a_suppression_needs_a_reason(run, shown):
    run("subscribers", "suppress", "bob@example.org")
    for reason in ((), ("--reason", " ")):
        refused = run("subscribers", "unsuppress", "bob@example.org", *reason)
        assert refused.returncode == 2
        assert "reason" in refused.stderr
    assert shown("bob@example.org")["suppressed"] == "manual"
    lifted = run("subscribers", "unsuppress", "bob@example.org", "--reason", "typed by mistake")
    assert (lifted.returncode, lifted.stdout) == (
        0,
        "bob@example.org is no longer suppressed (it was: manual)\n",
    )
    assert run("subscribers", "add", "bob@example.org", *CONSENT).returncode == 0


def test_after_a_lift_a_person_who_left_still_needs_a_new_consent(run, people, shown):
    run("subscribers", "remove", "ada@example.org")
    lifted = run("subscribers", "unsuppress", "ada@example.org", "--reason", "asked to come back")
    assert "it is unsubscribed, so it is not mailed yet" in lifted.stderr
    assert shown("ada@example.org")["eligible"] is False
    back = run("subscribers", "add", "ada@example.org", "--consent", "wrote a letter in May")
    assert back.stdout == "ada@example.org is active\n"
    assert shown("ada@example.org")["eligible"] is True


def test_lifting_what_is_not_suppressed_says_so(run, people):
    result = run("subscribers", "unsuppress", "ada@example.org", "--reason", "why not")
    assert result.returncode == 2
    assert "is not suppressed" in result.stderr


# ── erase ───────────────────────────────────────────────────────────────────


def test_erased_person_is_in_no_file_of_the_database_and_stays_away(
    run, people, workspace, shown, listed
):
    number = shown("eve@example.com")["id"]
    result = run("subscribers", "erase", "eve@example.com", "--yes")
    assert (result.returncode, result.stdout) == (0, "erased\n"), result.stderr
    for path in (workspace / ".newsletter").iterdir():
        content = path.read_bytes().lower()
        assert b"eve@example.com" not in content, path.name
        assert b"eve stone" not in content, path.name
    after = run("subscribers", "show", "eve@example.com")
    assert "suppressed since" in after.stdout
    assert "erased" in after.stdout
    assert shown(str(number))["status"] == "erased"
    assert run("subscribers", "add", "eve@example.com", *CONSENT).returncode == 2
    assert listed("--query", "eve") == []
    assert run("subscribers", "erase", "eve@example.com", "--yes").stdout == "was erased before\n"


def test_erase_names_the_files_that_still_hold_the_address(run, people, workspace):
    (workspace / "subscribers/more.csv").write_text(
        "email\nada@example.org.example.com\nmore.ada@example.org\nADA@example.org\n"
    )
    result = run("subscribers", "erase", "ada@example.org", "--yes")
    assert "still in subscribers/more.csv:4" in result.stderr
    assert "example.csv" not in result.stderr


def test_erase_without_yes_and_without_an_answer_erases_nothing(run, people, shown):
    result = run("subscribers", "erase", "ada@example.org", input="")
    assert result.returncode != 0
    assert shown("ada@example.org")["eligible"] is True


def test_erase_of_an_address_nothing_is_known_about_says_so(run, people):
    result = run("subscribers", "erase", "nobody@example.org", "--yes")
    assert result.returncode == 2
    assert "nothing is kept" in result.stderr


# ── people whose addresses differ in letter case alone ──────────────────────


@pytest.fixture
def both(run):
    """Two people; the second is announced as such."""
    assert run("subscribers", "add", "Kim@example.org", *CONSENT).stderr == ""
    second = run("subscribers", "add", "kim@example.org", *CONSENT)
    assert second.returncode == 0
    assert "another spelling, subscriber 1, is on the list too; that is another person" in (
        second.stderr
    )


@pytest.mark.parametrize("command", [("remove",), ("suppress",), ("erase", "--yes")])
def test_one_who_leaves_keeps_the_other_spelling_unmailed_and_it_is_said(run, both, shown, command):
    result = run("subscribers", *command, "kim@example.org")
    assert result.returncode == 0, result.stderr
    said = "another spelling, subscriber 1, is on the list too; it is not mailed any more"
    assert said in result.stderr
    other = shown("Kim@example.org")
    assert (other["status"], other["eligible"]) == ("active", False)


def test_lift_is_said_to_hold_for_the_other_spelling(run, both, shown):
    run("subscribers", "suppress", "kim@example.org")
    result = run("subscribers", "unsuppress", "kim@example.org", "--reason", "wrote again")
    assert "subscriber 1, is on the list too; this holds for it as well" in result.stderr
    assert shown("Kim@example.org")["eligible"] is True


@pytest.mark.parametrize(
    "command",
    [
        ("show", "KIM@example.org"),
        ("remove", "KIM@example.org"),
        ("suppress", "KIM@example.org"),
        ("unsuppress", "KIM@example.org", "--reason", "x"),
        ("erase", "--yes", "KIM@example.org"),
        ("tag", "KIM@example.org", "+press"),
        ("export", "--email", "KIM@example.org"),
    ],
)
def test_nobody_is_guessed_among_several_spellings(run, both, listed, command):
    before = listed()
    result = run("subscribers", *command)
    assert result.returncode == 2
    assert "2 other spellings" in result.stderr
    assert "exact spelling" in result.stderr
    assert listed() == before


def test_other_spelling_is_acted_on_under_its_own_name(run, shown):
    run("subscribers", "add", "Kim@example.org", *CONSENT)
    assert run("subscribers", "suppress", "kim@example.org").stdout.startswith("Kim@example.org is")
    assert run("subscribers", "erase", "KIM@example.org", "--yes").stdout == "erased\n"
    assert shown("1")["status"] == "erased"


# ── tag, stats ──────────────────────────────────────────────────────────────


def test_tags_are_added_and_taken_away_in_one_step(run, people):
    result = run("subscribers", "tag", "ada@example.org", "+tokyo", "-press", "-helsinki", "+h")
    assert result.stdout == "ada@example.org: h, tokyo\n", result.stderr


def test_tag_without_plus_or_minus_is_refused(run, people, shown):
    result = run("subscribers", "tag", "ada@example.org", "+tokyo", "press")
    assert result.returncode == 2
    assert "write +press or -press" in result.stderr
    assert shown("ada@example.org")["tags"] == ["press"]


def test_stats_count_without_addresses(run, people):
    run("subscribers", "remove", "ken@example.org")
    counts = json.loads(run("subscribers", "stats", "--json").stdout)
    assert (counts["total"], counts["eligible"]) == (3, 2)
    assert counts["status"]["unsubscribed"] == 1
    assert counts["tags"] == {"press": 2, "trial": 1}
    text = run("subscribers", "stats").stdout
    assert "@" not in text
    assert "eligible                                   2" in text


# ── bad worlds ──────────────────────────────────────────────────────────────


def test_file_that_is_no_database_is_refused_and_kept(run, workspace):
    path = workspace / ".newsletter" / "newsletter.db"
    path.parent.mkdir()
    path.write_text("my notes, not a database, and long enough to be looked at\n" * 50)
    before = path.read_bytes()
    for words in (("stats",), ("add", "ada@example.org", *CONSENT), ("list",)):
        result = run("subscribers", *words)
        assert result.returncode == 2
        assert "is not a database" in result.stderr
        assert "Traceback" not in result.stderr
    assert path.read_bytes() == before


def test_outside_a_workspace_every_command_says_how_to_start(run, tmp_path):
    for words in (
        ("add", "a@example.org", *CONSENT),
        ("list",),
        ("show", "a@example.org"),
        ("erase", "a@example.org", "--yes"),
        ("stats",),
    ):
        result = run("subscribers", *words, cwd=tmp_path)
        assert result.returncode == 2, words
        assert "newsletter init" in result.stderr, words
