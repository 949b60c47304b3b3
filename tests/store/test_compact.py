"""After an erasure and `compact`, the address is in no byte of the database's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.audience import subscribers
from newsletter.audience.model import Reason
from newsletter.errors import StorageError
from newsletter.store.engine import open_url
from tests.audience.people import WRITES, add, consent, mailed
from tests.store.worlds import NEXT, migrations_with_one_more

GONE = "erica.quill@example.org"
TRACES = [b"erica.quill", b"Erica.Quill", b"Quill, Erica", b"198.51.100.9"]


def fill(store):
    with store.begin() as conn:
        for number in range(400):
            add(conn, f"p{number}@example.org", name=f"Person {number}", tags=["press"])
        given = consent(ip="198.51.100.9", page=f"/join?email={GONE}")
        add(conn, "Erica.Quill@example.org", name="Quill, Erica", consent=given)
        for number in range(400, 800):
            add(conn, f"p{number}@example.org")


def traces(folder: Path) -> list[str]:
    """The files that hold something of her."""
    return [
        file.name
        for file in sorted(folder.iterdir())
        if file.is_file() and any(trace in file.read_bytes() for trace in TRACES)
    ]


def test_erased_address_is_in_no_file_after_compacting(tmp_path):
    path = tmp_path / "newsletter.db"
    with open_url(f"sqlite:///{path}") as store:
        fill(store)
        with store.begin() as conn:
            subscribers.suppress(conn, GONE, reason=Reason.BOUNCED, source="mailbox", **WRITES)
    migrations = migrations_with_one_more(tmp_path)
    with open_url(f"sqlite:///{path}", migrations=migrations) as store:
        with store.begin() as conn:
            add(conn, "late@example.org")
        assert f"newsletter.db.before-{NEXT}" in traces(tmp_path)
        with store.begin() as conn:
            subscribers.erase(conn, GONE, **WRITES)
        assert traces(tmp_path) != []
        assert [copy.name for copy in store.compact()] == [f"newsletter.db.before-{NEXT}"]
        assert traces(tmp_path) == []
        assert len(mailed(store)) == 801
    assert traces(tmp_path) == []


def test_erased_address_is_not_in_the_samples_of_the_planner(postgres):
    name = postgres.create()
    with open_url(postgres.url(name)) as store, postgres.admin(name) as admin:
        with store.begin() as conn:
            add(conn, GONE)
        admin.execute("ANALYZE")
        sampled = "SELECT count(*) FROM pg_stats WHERE histogram_bounds::text LIKE '%quill%'"
        with store.begin() as conn:
            add(conn, "b@example.org")
            add(conn, "z@example.org")
        admin.execute("ANALYZE")
        assert admin.execute(sampled).fetchone() != (0,)
        with store.begin() as conn:
            subscribers.erase(conn, GONE, **WRITES)
        assert store.compact() == []
        assert admin.execute(sampled).fetchone() == (0,)
        assert len(mailed(store)) == 2
    postgres.drop(name)


def test_compacting_while_somebody_reads_is_reported_and_works_later(tmp_path):
    url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    with open_url(url) as reader, open_url(url, wait=0.2) as store:
        with store.begin() as conn:
            add(conn, GONE)
        with reader.read() as conn:
            assert subscribers.find(conn, GONE)
            with store.begin() as writing:
                subscribers.erase(writing, GONE, **WRITES)
            with pytest.raises(StorageError, match=r"locked|holds"):
                store.compact()
        store.compact()
    assert traces(tmp_path) == []
