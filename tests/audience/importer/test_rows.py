"""Bad rows are named by line, column and reason; good ones arrive, whatever stands beside them."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.audience.identity import identity_of
from newsletter.store.engine import open_url
from tests.audience.importer.csv_files import person, record, suppressed, take, written
from tests.audience.people import mailed
from tests.databases import fresh_url


@pytest.fixture
def store(tmp_path, request):
    """What a row is worth is no matter of the database: SQLite alone."""
    with fresh_url("sqlite", tmp_path, request) as url, open_url(url) as opened:
        yield opened


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example",
        "ada@example.org.",
        ".ada@example.org",
        "ada..b@example.org",
        "ada@-example.org",
        "a b@example.org",
        '"ada b"@example.org',
        "ada(comment)@example.org",
        "ada@[192.0.2.1]",
        "ada@192.0.2.1",
        "jörg@example.org",
        "Ada <ada@example.org>",
        "ada@example.org,ben@example.org",
        "ada@example.org\x0bBcc: x@example.org",
        "ada@exam\u202eple.org",
        "a@" + "b" * 260 + ".org",
        "ada@localhost",
    ],
)
def test_address_that_cannot_be_mailed_is_rejected_in_its_column(store, tmp_path, address):
    path = tmp_path / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["name", "E-Mail"], ["Ada", address], ["B", "b@example.org"]])
    report = take(store, path)
    (reject,) = report.rejects
    assert (reject.line, reject.column) == (2, "E-Mail")
    assert reject.reason
    assert not address or address not in reject.reason
    assert mailed(store) == ["b@example.org"]


@pytest.mark.parametrize(
    "name",
    [
        "Ada\rBcc: x@example.org",
        "Ada\nBcc: x@example.org",
        "Ada\0",
        "Ada\x0bEve",
        "Ada\u2028Eve",
        "\u202eadA",
        "Ada\u2066",
        "A" * 201,
        "A" * 10_000,
    ],
)
@pytest.mark.parametrize("column", ["name", "Last name"])
def test_name_that_could_break_a_header_is_rejected_in_its_column(store, tmp_path, name, column):
    path = tmp_path / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["email", column], ["ada@example.org", name]])
    (reject,) = take(store, path).rejects
    assert (reject.line, reject.column) == (2, column)


def test_names_of_all_the_world_are_kept(store, tmp_path):
    names = ["José Núñez", "佐藤 健", "نور الهدى", "O’Brien-Ødegård, Jr.", "می\u200cخواهم", "X"]
    path = tmp_path / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [[f"p{number}@example.org", name] for number, name in enumerate(names)]
        csv.writer(file).writerows([["email", "name"], *rows])
    assert take(store, path).added == len(names)
    kept = [person(store, f"p{number}@example.org").name for number in range(len(names))]
    assert kept == names


def test_letter_case_before_the_at_sign_and_plus_tags_make_other_people_the_domain_does_not(
    store, tmp_path
):
    text = "email\nAda@example.org\nada@example.org\nada@EXAMPLE.org\nada+x@example.org\n"
    path = written(tmp_path, text)
    report = take(store, path)
    assert (report.added, report.repeated) == (3, 1)
    assert mailed(store) == ["Ada@example.org", "ada@example.org", "ada+x@example.org"]
    assert take(store, path).changed == 0


def test_domain_in_both_its_forms_is_one(store, tmp_path):
    text = "email\na@bücher.example.org\na@xn--bcher-kva.example.org\na@BÜCHER.example.org\n"
    report = take(store, written(tmp_path, text))
    assert (report.added, report.repeated) == (1, 2)


def test_values_that_cannot_be_read_are_left_out_with_a_warning(store, tmp_path):
    text = (
        "email,language,timezone,format,created_at,optin_ip\n"
        "ada@example.org,English,Bergen,fancy,03/04/2021,somewhere\n"
        "ben@example.org,pt_BR,Europe/Oslo,TEXT,2021-04-03,2001:DB8::1\n"
        "cem@example.org,English,Bergen,fancy,2999-01-01,999.1.1.1\n"
    )
    report = take(store, written(tmp_path, text))
    assert report.added == 3
    assert len(report.warnings) == 5
    assert all("2 rows, first in line 2" in warning for warning in report.warnings)
    ben = person(store, "ben@example.org")
    assert (ben.language, ben.timezone, ben.format) == ("pt-BR", "Europe/Oslo", "text")
    assert record(store, "ben@example.org")["consents"][0]["ip"] == "2001:db8::1"
    assert person(store, "ada@example.org").language == ""


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("fleet", ("fleet",)),
        (" fleet , press,, ", ("fleet", "press")),
        ("fleet;press", ("fleet", "press")),
        ('"fleet","a ""b"""', ('a "b"', "fleet")),
        ('["fleet", "press"]', ("fleet", "press")),
        ("[fleet]", ("[fleet]",)),
    ],
)
def test_tags_are_taken_in_every_usual_form(store, tmp_path, cell, tags):
    path = tmp_path / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["email", "tags"], ["ada@example.org", cell]])
    take(store, path, tags=[])
    assert person(store, "ada@example.org").tags == tags


def test_rows_with_a_wrong_number_of_fields(store, tmp_path):
    text = (
        "email,status,name\n"
        "ada@example.org\n"
        "ben@example.org,active\n"
        "cem@example.org,active,Cem,Extra\n"
        "dee@example.org,active,Dee,,\n"
    )
    report = take(store, written(tmp_path, text))
    assert [str(reject) for reject in report.rejects] == [
        "line 2: it has 1 fields, the header 3",
        "line 4: it has 4 fields, the header 3: a comma too many?",
    ]
    assert mailed(store) == ["ben@example.org", "dee@example.org"]


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("email", "a" * 60_000 + "@example.org", "more than 320 characters"),
        ("tags", ",".join(f"t{number}" for number in range(101)), "more than 100 tags"),
        ("tags", "a\nb", "line break"),
        ("tags", "t" * 65, "more than 64 characters"),
        ("consent_wording", "w" * 2_001, "too long"),
        ("consent_wording", "on\0paper", "control characters"),
        ("attributes", "[" * 60_000, "not JSON"),
    ],
)
def test_cells_beyond_measure_are_rejected_in_their_column(store, tmp_path, column, cell, reason):
    path = tmp_path / "people.csv"
    row = {"email": "ada@example.org", column: cell}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    (reject,) = take(store, path).rejects
    assert reject.column == column
    assert reason in reject.reason


def test_status_that_nobody_knows_is_never_taken_for_active(store, tmp_path):
    text = "email,status\nada@example.org,vip\nben@example.org,\ncem@example.org,Subscribed\n"
    report = take(store, written(tmp_path, text))
    assert [reject.line for reject in report.rejects] == [2, 3]
    assert mailed(store) == ["cem@example.org"]


def test_attributes_that_are_no_json_object_are_rejected(store, tmp_path):
    text = "email,attributes\na@example.org,{city}\nb@example.org,[1]\nc@example.org,{}\n"
    report = take(store, written(tmp_path, text))
    assert [(reject.line, reject.column) for reject in report.rejects] == [
        (2, "attributes"),
        (3, "attributes"),
    ]


def test_texts_that_outlive_an_erasure_never_hold_the_address(store, tmp_path):
    text = (
        "email,consent_wording,tags,suppressed,status\n"
        "Ada@example.org,Mail from ADA@example.org,,,active\n"
        "ben@example.org,On paper,ben@example.org,,active\n"
        "cem@example.org,Mail to news@example.org,,,active\n"
    )
    report = take(store, written(tmp_path, text))
    assert [(reject.line, reject.column) for reject in report.rejects] == [
        (2, "consent_wording"),
        (3, "tags"),
    ]


def test_rows_with_bytes_that_are_no_text_are_rejected(store, tmp_path):
    data = "email,name\na@example.org,José\nb@example.org,Zoë\n".encode() + b"c@example.org,\xff\n"
    report = take(store, written(tmp_path, data))
    assert [reject.line for reject in report.rejects] == [4]
    assert (report.rejects_file or Path()).read_text("utf-8").endswith("c@example.org,?\n")


# ── any rows at all ─────────────────────────────────────────────────────────

locals_ = st.text("abcdefXYZ0123456789._+-", min_size=1, max_size=12)
domains = st.sampled_from(
    ["example.org", "Example.COM", "a-b.example.org", "bücher.example.org", "no_dot", "x..org"]
)
addresses = st.one_of(st.builds("{}@{}".format, locals_, domains), st.text(max_size=12))
cells = st.one_of(st.text(max_size=20), st.text("=+-@'＝＋－＠ab\t,;\"\n\r", max_size=8))


def is_address(text: str) -> bool:
    """What email-validator says, and no SMTPUTF8."""
    try:
        validate_email(
            text, check_deliverability=False, test_environment=True, allow_smtputf8=False
        )
    except EmailNotValidError:
        return False
    return True


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("rows")
    with fresh_url("sqlite", folder, request) as url, open_url(url) as opened:
        yield opened


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(addresses, cells, cells), max_size=20))
def test_any_rows_are_taken_or_rejected_and_never_lost(shared_store, rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
            csv.writer(file).writerows([["email", "name", "tags"], *rows])
        report = take(shared_store, path)
        assert report.rejected == len(report.rejects)
        rejected = 0
        if report.rejects_file is not None:
            with report.rejects_file.open(encoding="utf-8", newline="") as file:
                rejected = len(list(csv.reader(file))) - 1
        again = take(shared_store, path)
    assert rejected == report.rejected
    assert again.changed == 0
    lost = [row for row in rows if is_address(row[0].strip(" \t")) and not known(shared_store, row)]
    assert len(lost) <= report.rejected


def known(store, row: tuple[str, ...]) -> bool:
    with store.read() as conn:
        from newsletter.audience.subscribers import find

        return find(conn, row[0].strip(" \t")) is not None


@given(st.builds("{}@{}".format, locals_, domains))
def test_identity_of_the_fast_path_is_the_identity(address):
    from newsletter.audience.importer.cells import address_and_identity

    try:
        email, identity = address_and_identity(address)
    except ValueError:
        assert not is_address(address)
    else:
        assert identity == identity_of(address) == identity_of(email)


def test_suppressed_column_takes_only_known_reasons(store, tmp_path):
    text = "email,suppressed\nada@example.org,bounced\nben@example.org,perhaps\n"
    report = take(store, written(tmp_path, text), consent="")
    assert (report.suppressed, report.rejected) == (1, 1)
    assert suppressed(store, "ada@example.org") == "bounced"
