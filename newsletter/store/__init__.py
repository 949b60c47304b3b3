"""The database: SQLite by default, PostgreSQL by one URL; the same tables on both.

Opens it, brings it up to date, and says plainly what is wrong when it cannot.
Refuses to know what a subscriber may do: that is `newsletter.audience`.
"""
