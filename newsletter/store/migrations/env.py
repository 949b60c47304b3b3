"""Alembic's entry: run the revisions on the connection that `newsletter.store.migrate` hands in."""

from alembic import context

from newsletter.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite's is too, once the driver keeps its hands off
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
