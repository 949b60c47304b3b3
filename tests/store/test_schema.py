"""The migrations lead to the tables that `tables.py` describes, and to the triggers beside them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from newsletter.errors import StorageError
from newsletter.store import tables
from newsletter.store.engine import open_url
from newsletter.store.migrate import MIGRATIONS, head_of

_POSTGRESQL = (
    """SELECT table_name, column_name, data_type, is_nullable, coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'""",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace""",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
)


def described(engine: sa.Engine) -> set[str]:
    """Everything the database knows about its tables, but not Alembic's own."""
    with engine.connect() as conn:
        if engine.dialect.name == "sqlite":
            query = "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql != ''"
            found = {" ".join(sql.split()) for sql in conn.exec_driver_sql(query).scalars()}
        else:
            rows = (row for query in _POSTGRESQL for row in conn.exec_driver_sql(query))
            found = {" | ".join(map(str, row)) for row in rows}
    return {line for line in found if "alembic_version" not in line}


@pytest.fixture
def made_at_once(request, tmp_path, store):
    """An engine on a database that `metadata.create_all` made."""
    if store.dialect == "sqlite":
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
        tables.metadata.create_all(engine)
        yield engine
        engine.dispose()
        return
    server = request.getfixturevalue("postgres")
    name = server.create(empty=True)
    engine = sa.create_engine(server.url(name).replace("postgresql:", "postgresql+psycopg:"))
    tables.metadata.create_all(engine)
    yield engine
    engine.dispose()
    server.drop(name)


def test_migrated_database_is_the_one_the_tables_describe(store, made_at_once):
    migrated = described(store.engine)
    assert len(migrated) >= len(tables.metadata.tables)
    assert migrated == described(made_at_once)


def test_revisions_are_one_line_and_the_newest_file_is_the_head():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [head_of(MIGRATIONS)]
    numbers = sorted(revision.revision for revision in script.walk_revisions())
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_opening_again_changes_nothing(store, database_url):
    with store.read() as conn:
        key = conn.exec_driver_sql("SELECT value FROM setting").scalar_one()
    with open_url(database_url) as again, again.read() as conn:
        assert conn.exec_driver_sql("SELECT value FROM setting").scalar_one() == key
    assert len(bytes.fromhex(key)) == 32


# ── append-only ─────────────────────────────────────────────────────────────

_PERSON = (
    "INSERT INTO subscriber (id, email, identity, identity_hash, status, created_at, updated_at)"
    " VALUES (1, 'a@example.org', 'a@example.org', '{}', 'active', 0, 0)"
)
_CONSENT = (
    "INSERT INTO consent (id, subscriber_id, kind, wording, at, ip, page)"
    " VALUES (1, 1, 'added', 'on paper', 0, '192.0.2.1', '/join')"
)
_AUDIT = "INSERT INTO audit (id, at, actor, action) VALUES (1, 0, 'me', 'x.y')"


@pytest.fixture
def kept(store):
    """A store with one consent and one audit row."""
    with store.begin() as conn:
        for statement in (_PERSON, _CONSENT, _AUDIT):
            conn.exec_driver_sql(statement)
    return store


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM consent",
        "DELETE FROM audit",
        "UPDATE audit SET detail = 'other'",
        "UPDATE audit SET at = at",
        "UPDATE consent SET wording = 'other'",
        "UPDATE consent SET at = 1",
        "UPDATE consent SET id = 2",
        "UPDATE consent SET subscriber_id = 2",
        "UPDATE consent SET kind = 'confirmed'",
        "UPDATE consent SET confirmed_at = 1",
        "UPDATE consent SET source = 'x'",
        "UPDATE consent SET ip = '192.0.2.2'",
        "UPDATE consent SET page = '/other'",
        "UPDATE consent SET ip = NULL, wording = ''",
    ],
)
def test_consent_and_audit_refuse_to_be_changed(kept, statement):
    with pytest.raises(StorageError, match="append-only"), kept.begin() as conn:
        conn.exec_driver_sql(statement)


@pytest.mark.parametrize("table", ["consent", "audit"])
def test_whole_table_cannot_be_replaced_either(kept, table):
    if kept.dialect == "sqlite":
        statement = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
    else:
        statement = f"TRUNCATE {table}"
    with pytest.raises(StorageError, match="append-only"), kept.begin() as conn:
        conn.exec_driver_sql(statement)


def test_erasure_may_empty_ip_and_page_of_a_consent(kept):
    with kept.begin() as conn:
        conn.exec_driver_sql("UPDATE consent SET ip = NULL")
        conn.exec_driver_sql("UPDATE consent SET page = NULL")
        conn.exec_driver_sql("UPDATE consent SET ip = NULL, page = NULL")
        row = conn.exec_driver_sql("SELECT wording, ip, page FROM consent").one()
    assert tuple(row) == ("on paper", None, None)


@pytest.mark.parametrize(
    "values",
    [
        "NULL, 'a@example.org', '{}', 'active'",
        "'a@example.org', NULL, '{}', 'active'",
        "'a@example.org', 'a@example.org', NULL, 'active'",
        "NULL, NULL, NULL, 'active'",
        "'a@example.org', 'a@example.org', '{}', 'erased'",
        "'a@example.org', 'a@example.org', '{}', 'friend'",
    ],
)
def test_subscriber_is_whole_or_erased(store, values):
    statement = (
        "INSERT INTO subscriber (email, identity, identity_hash, status, created_at, updated_at)"
        f" VALUES ({values}, 0, 0)"
    )
    with pytest.raises(StorageError, match=r"(?i)check"), store.begin() as conn:
        conn.exec_driver_sql(statement)
