"""NL006 duplicate-key: The front matter gives a key twice.

Two lines say different things and only one can hold, so neither does until one
is taken out.

Wrong:

    date: 2023-10-31
    date: 2023-11-14
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL006"
SEVERITY = Severity.ERROR
