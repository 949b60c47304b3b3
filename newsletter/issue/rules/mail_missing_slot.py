"""NL806 mail-missing-slot: The e-mail lacks a link that every message must carry.

Each reader finds a way to unsubscribe, to change preferences and to read the issue in a
browser. The addresses differ from reader to reader, so the template prints their slots.

    right: <a href="{{ slots.unsubscribe_url }}">Unsubscribe</a>

The others are slots.preferences_url and slots.web_url.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL806"
SEVERITY = Severity.ERROR
