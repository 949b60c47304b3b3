"""The list goes out safe for spreadsheets, and comes back in as it was."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience import subscribers
from newsletter.audience.export import COLUMNS, safe, write_csv, write_jsonl
from newsletter.audience.importer.cells import FORMULA
from newsletter.audience.model import ConsentKind, Reason, Status
from newsletter.store.engine import open_url
from tests.audience.importer.csv_files import suppressed, take, written
from tests.audience.people import NOW, WRITES, add, consent, mailed
from tests.audience.people import request as ask
from tests.databases import fresh_url


def exported(store, **options) -> str:
    out = io.StringIO(newline="")
    with store.read() as conn:
        write_csv(conn, out, **options)
    return out.getvalue()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def everybody(store) -> None:
    """People in every state, with everything that can be known about them."""
    page = consent(
        ConsentKind.REQUESTED,
        wording="“Yes, mail me.”\nSecond line, with a comma",
        ip="192.0.2.7",
        page="https://example.com/join?a=1",
        at=NOW - timedelta(days=3),
    )
    with store.begin() as conn:
        add(
            conn,
            "Ada+news@example.org",
            name="=HYPERLINK(1)",
            language="pt-BR",
            timezone="Asia/Tokyo",
            format="text",
            tags=["+plus", "a b", 'quo"te', "[x]", "@at"],
        )
        _, token = ask(conn, "ben@bücher.example.org", consent=page, name="'=twice")
        subscribers.confirm(conn, token, now=NOW, ip="192.0.2.8", page="https://example.com/c")
        ask(conn, "cem@example.org", consent=page)
        subscribers.pause(conn, add(conn, "dee@example.org", name="佐藤 健").id, **WRITES)
        eva = add(conn, "eva@example.org")
        subscribers.unsubscribe(conn, eva.id, source="page", **WRITES)
        fay = add(conn, "fay@example.org")
        subscribers.unsubscribe(conn, fay.id, source="page", **WRITES)
        subscribers.lift(conn, fay.email, reason="wrote to us", **WRITES)
        add(conn, "gil@example.org")
        for email, reason in (
            ("gil@example.org", Reason.BOUNCED),
            ("stranger@example.org", Reason.COMPLAINED),
        ):
            subscribers.suppress(conn, email, reason=reason, source="desk", **WRITES)
        add(conn, "hal@example.org")
        subscribers.erase(conn, "hal@example.org", **WRITES)


def test_export_imported_into_an_empty_store_gives_the_same_export(store, tmp_path, request):
    everybody(store)
    first = exported(store)
    other = tmp_path / "other"
    other.mkdir()
    with fresh_url(store.dialect, other, request) as url, open_url(url) as empty:
        report = take(empty, written(tmp_path, first), consent="")
        assert (report.form, report.rejected, report.warnings) == ("newsletter", 0, ())
        assert (report.added, report.suppressed) == (7, 1)
        assert exported(empty) == first
        assert sorted(mailed(empty)) == sorted(mailed(store))
        assert suppressed(empty, "stranger@example.org") is Reason.COMPLAINED
        assert suppressed(empty, "fay@example.org") is None
        assert take(empty, written(tmp_path, first), consent="").changed == 0


def test_export_imported_into_its_own_store_changes_nothing(store, tmp_path):
    everybody(store)
    report = take(store, written(tmp_path, exported(store)), consent="")
    assert report.changed == 0
    assert report.rejected == 0


def test_erased_people_are_not_exported(store):
    everybody(store)
    with store.read() as conn:
        lines = io.StringIO()
        assert write_jsonl(conn, lines) == 8
    for text in (exported(store), lines.getvalue()):
        assert "hal@" not in text
        assert "stranger@example.org" in text


def test_selection_exports_only_its_people(store):
    everybody(store)
    chosen = subscribers.everyone(status=Status.PAUSED)
    assert [row["email"] for row in rows_of(exported(store, select=chosen))] == ["dee@example.org"]


def test_json_lines_hold_every_consent(store):
    everybody(store)
    out = io.StringIO()
    with store.read() as conn:
        write_jsonl(conn, out)
    people = {each["email"]: each for each in map(json.loads, out.getvalue().splitlines())}
    ben = people["ben@bücher.example.org"]
    assert [given["kind"] for given in ben["consents"]] == ["requested", "confirmed"]
    assert people["gil@example.org"]["suppressed"]["reason"] == "bounced"
    assert people["stranger@example.org"]["status"] is None


def test_many_people_are_exported_in_order_across_chunks(store, tmp_path):
    text = "email,tags\n" + "".join(f"p{number}@example.org,t\n" for number in range(4_500))
    take(store, written(tmp_path, text))
    rows = rows_of(exported(store))
    assert [row["email"] for row in rows] == [f"p{number}@example.org" for number in range(4_500)]
    assert {row["tags"] for row in rows} == {"t"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_cell_that_starts_like_a_formula_gets_an_apostrophe(start):
    assert safe(f"{start}1+1") == f"'{start}1+1"
    assert safe(f"'{start}") == f"''{start}"


@pytest.mark.parametrize("cell", ["", "Ada", "'Ada", "a=1", "5-3", "’=1"])
def test_other_cells_stay_as_they_are(cell):
    assert safe(cell) == cell


@given(st.text("'=+-@＝ab\t\r\n", max_size=6))
def test_import_takes_off_exactly_what_export_put_on(cell):
    out = safe(cell)
    back = out[1:] if FORMULA.match(out) else out
    assert back == cell


def test_every_column_is_known_to_the_import():
    from newsletter.audience.importer.peers import OURS

    assert OURS.marks <= set(COLUMNS) <= OURS.columns.keys()
