"""NL002 encoding: The issue file is not UTF-8.

Names such as “Kōno” or “Peña” and curly quotes survive the way to every reader
only in one encoding, UTF-8. The finding points at the first byte that is not.
Nothing else is checked until the file is saved again.

In most text editors: “Save with encoding”, then “UTF-8”.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL002"
SEVERITY = Severity.ERROR
