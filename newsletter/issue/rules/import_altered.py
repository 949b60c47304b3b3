"""NL910 import-altered: Something was imported with a change.

The words are the same, but something around them is not: a link that leads nowhere
outside of the page lost its address, code became plain text, a footnote or a text box
of a Word file was not read, deletions that Word tracks were left out.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL910"
SEVERITY = Severity.WARNING
