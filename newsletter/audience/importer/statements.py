# ruff: noqa: S608 - put together from the constants of this file alone
"""The SQL of an import: judge a chunk in a temporary table, then apply its outcomes.

The same statements run on SQLite and PostgreSQL. Nothing here makes anyone active
who left or is suppressed: such rows get the outcome “left”.
"""

from __future__ import annotations

from newsletter.audience.leaving import GRAVITY

_RANK = " ".join(
    f"WHEN '{reason.value}' THEN {rank}" for rank, reason in enumerate(GRAVITY, start=1)
)
_STANDING = "WHEN 'pending' THEN 0 WHEN 'active' THEN 1 WHEN 'paused' THEN 2 ELSE 3"


def _rank(column: str) -> str:
    """How grave a reason is, from 1; a graver one takes the place of a lighter one."""
    return f"(CASE {column} {_RANK} ELSE 0 END)"


def _standing(column: str) -> str:
    """An import moves people only up this ladder: pending, active, paused, unsubscribed."""
    return f"(CASE {column} {_STANDING} END)"


# ── the temporary tables ────────────────────────────────────────────────────

FORMS = {
    "sqlite": {"bytes": "BLOB", "until": ""},
    "postgresql": {"bytes": "BYTEA", "until": "ON COMMIT DELETE ROWS"},
}
CREATE = (
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming (
      line INTEGER PRIMARY KEY, email TEXT, identity TEXT, identity_hash {bytes}, name TEXT,
      language TEXT, timezone TEXT, format TEXT, status TEXT, reason TEXT, source TEXT,
      wording TEXT, ip TEXT, page TEXT, created_at BIGINT, consent_at BIGINT,
      confirmed_at BIGINT, left_at BIGINT,
      subscriber_id BIGINT,       -- who has this address already
      prior TEXT,                 -- and their status
      blocked INTEGER DEFAULT 0,  -- rank of the suppression that stands against it
      outcome TEXT
    ) {until}
    """,
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming_tag (
      line INTEGER, tag TEXT, PRIMARY KEY (line, tag)
    ) {until}
    """,
)

PREPARE_POSTGRESQL = (
    # Nothing is known of a temporary table, so the planner would read all of `subscriber`.
    "SET LOCAL enable_hashjoin = off",
    "SET LOCAL enable_mergejoin = off",
    # Two imports at once would wait for each other's rows, in a circle.
    "SELECT pg_advisory_xact_lock(hashtext('subscribers.import'))",
)

# ── judge ───────────────────────────────────────────────────────────────────

RESOLVE = (
    """
    UPDATE incoming SET subscriber_id = s.id, prior = s.status
    FROM subscriber AS s WHERE s.identity = incoming.identity
    """,
    f"""
    UPDATE incoming SET blocked = {_rank("p.reason")}
    FROM suppression AS p
    WHERE p.identity_hash = incoming.identity_hash AND p.lifted_at IS NULL
    """,
)
KNOWN = """
    SELECT line, subscriber_id FROM incoming
    WHERE subscriber_id IS NOT NULL AND reason IS NULL ORDER BY line
    """
REPEATED = "UPDATE incoming SET outcome = 'repeated' WHERE line = :line"
JUDGE = (
    f"""
    UPDATE incoming SET outcome = CASE
      -- A row that suppresses; our own export may bring the person along, if new.
      WHEN reason IS NOT NULL AND (status IS NULL OR subscriber_id IS NOT NULL OR blocked > 0)
      THEN CASE
        WHEN blocked < {_rank("reason")} THEN 'suppress'
        WHEN reason IN ('unsubscribed', 'complained') AND prior <> 'unsubscribed' THEN 'suppress'
        ELSE 'same' END
      WHEN blocked > 0 OR prior = 'unsubscribed'
      THEN CASE status WHEN 'unsubscribed' THEN 'same' ELSE 'left' END
      WHEN subscriber_id IS NULL THEN 'new'
      ELSE 'known' END
    WHERE outcome IS NULL
    """,
    f"""
    UPDATE incoming SET outcome = 'update'
    FROM subscriber AS s
    WHERE outcome = 'known' AND s.id = incoming.subscriber_id AND (
      (incoming.name <> '' AND incoming.name <> s.name)
      OR (incoming.language <> '' AND incoming.language <> s.language)
      OR (incoming.timezone <> '' AND incoming.timezone <> s.timezone)
      OR (incoming.format <> '' AND incoming.format <> s.format)
      OR {_standing("incoming.status")} > {_standing("s.status")})
    """,
    """
    UPDATE incoming SET outcome = 'update'
    WHERE outcome = 'known' AND EXISTS (
      SELECT 1 FROM incoming_tag AS t WHERE t.line = incoming.line AND NOT EXISTS (
        SELECT 1 FROM subscriber_tag AS h
        WHERE h.subscriber_id = incoming.subscriber_id AND h.tag = t.tag))
    """,
)
OUTCOMES = ("new", "update", "same", "known", "repeated", "left", "suppress")
COUNT = "SELECT {} FROM incoming".format(
    ", ".join(f"count(*) FILTER (WHERE outcome = '{outcome}')" for outcome in OUTCOMES)
)

# ── apply ───────────────────────────────────────────────────────────────────

ADD = """
    INSERT INTO subscriber (email, identity, identity_hash, name, language, timezone, format,
      status, source, created_at, updated_at)
    SELECT email, identity, identity_hash, name, language, timezone,
      CASE format WHEN '' THEN 'html' ELSE format END, status,
      coalesce(source, :source), coalesce(created_at, :now), :now
    FROM incoming WHERE outcome = 'new' ORDER BY line
    ON CONFLICT (identity) DO NOTHING
    """
ADD_CONSENT = """
    INSERT INTO consent (subscriber_id, kind, wording, at, ip, page, confirmed_at, source)
    SELECT s.id, CASE i.status WHEN 'pending' THEN 'requested' ELSE 'imported' END,
      coalesce(i.wording, :basis), coalesce(i.consent_at, :now),
      i.ip, i.page, i.confirmed_at, :source
    FROM incoming AS i JOIN subscriber AS s ON s.identity = i.identity
    WHERE i.outcome = 'new' AND coalesce(i.wording, :basis) <> '' ORDER BY i.line
    """
ADD_TAGS = """
    INSERT INTO subscriber_tag (subscriber_id, tag)
    SELECT s.id, t.tag FROM incoming_tag AS t JOIN incoming AS i ON i.line = t.line
      JOIN subscriber AS s ON s.identity = i.identity
    WHERE i.outcome IN ('new', 'update', 'repeated') AND i.blocked = 0
      AND coalesce(i.prior, '') <> 'unsubscribed'
    ON CONFLICT DO NOTHING
    """
UPDATE = (
    """
    INSERT INTO consent (subscriber_id, kind, wording, at, ip, page, confirmed_at, source)
    SELECT subscriber_id, 'imported', coalesce(wording, :basis), coalesce(consent_at, :now),
      ip, page, confirmed_at, :source
    FROM incoming WHERE outcome = 'update' AND prior = 'pending' AND status IN ('active', 'paused')
    ORDER BY line
    """,
    """
    INSERT INTO consent (subscriber_id, kind, wording, at, source)
    SELECT subscriber_id, 'withdrawn', '', coalesce(left_at, :now), :source
    FROM incoming WHERE outcome = 'update' AND status = 'unsubscribed' ORDER BY line
    """,
    f"""
    UPDATE subscriber SET
      name = CASE i.name WHEN '' THEN subscriber.name ELSE i.name END,
      language = CASE i.language WHEN '' THEN subscriber.language ELSE i.language END,
      timezone = CASE i.timezone WHEN '' THEN subscriber.timezone ELSE i.timezone END,
      format = CASE i.format WHEN '' THEN subscriber.format ELSE i.format END,
      status = CASE WHEN {_standing("i.status")} > {_standing("subscriber.status")}
        THEN i.status ELSE subscriber.status END,
      updated_at = :now
    FROM incoming AS i
    WHERE i.outcome = 'update' AND i.subscriber_id = subscriber.id
      AND subscriber.status IN ('pending', 'active', 'paused')
    """,
    """
    INSERT INTO audit (at, actor, action, subscriber_id, detail)
    SELECT :now, :actor, 'subscriber.change', subscriber_id, :source
    FROM incoming WHERE outcome = 'update' ORDER BY line
    """,
)
ADD_SUPPRESSION = f"""
    INSERT INTO suppression (identity, identity_hash, reason, source, at)
    SELECT identity, identity_hash, reason, :source, coalesce(left_at, :now) FROM incoming
    WHERE outcome IN ('suppress', 'new') AND reason IS NOT NULL AND blocked < {_rank("reason")}
    ORDER BY {_rank("reason")} DESC, line  -- Ada@ and ada@ are two people, and one hash
    ON CONFLICT DO NOTHING
    """
# Of “same” too: another spelling may have left before, and a lift holds for both.
VOID = """
    DELETE FROM confirmation WHERE subscriber_id IN (
      SELECT subscriber_id FROM incoming WHERE reason IS NOT NULL AND outcome <> 'new')
    """
_LEAVES = """
    outcome = 'suppress' AND reason IN ('unsubscribed', 'complained')
    AND prior IN ('pending', 'active', 'paused')
    """
LEAVE = (
    f"""
    UPDATE suppression SET lifted_at = :now, lifted_by = :actor, lifted_reason = 'now ' || i.reason
    FROM incoming AS i
    WHERE i.outcome = 'suppress' AND i.blocked > 0 AND i.blocked < {_rank("i.reason")}
      AND suppression.identity_hash = i.identity_hash AND suppression.lifted_at IS NULL
    """,
    f"""
    INSERT INTO consent (subscriber_id, kind, wording, at, source)
    SELECT subscriber_id, 'withdrawn', '', coalesce(left_at, :now), :source
    FROM incoming WHERE {_LEAVES} ORDER BY line
    """,
    f"""
    UPDATE subscriber SET status = 'unsubscribed', updated_at = :now
    WHERE id IN (SELECT subscriber_id FROM incoming WHERE {_LEAVES})
    """,
    """
    INSERT INTO audit (at, actor, action, subscriber_id, detail)
    SELECT :now, :actor, 'subscriber.suppress', subscriber_id, reason || ': ' || :source
    FROM incoming WHERE outcome = 'suppress' AND subscriber_id IS NOT NULL ORDER BY line
    """,
)
NOTE = """
    INSERT INTO audit (at, actor, action, detail)
    VALUES (:now, :actor, 'subscribers.import', :detail)
    """
