"""NL907 import-item-count: The source does not have exactly five items.

Everything was imported, but an issue has five headlines and five bullets. Until it
has, `newsletter check` reports NL104.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL907"
SEVERITY = Severity.WARNING
