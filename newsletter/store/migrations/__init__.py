"""The history of the tables: one numbered file a step, each for SQLite and PostgreSQL."""
