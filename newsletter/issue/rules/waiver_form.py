"""NL009 waiver-form: A waiver is not in the form that is understood, or gives no reason.

A waiver lets one warning stand in one item (or in the whole file, above the
first headline). The reason is for the person who approves the issue.

Wrong:

    <!-- newsletter: allow NL203 -->

Right:

    <!-- newsletter: allow NL203 the long sentence is a quotation -->

Several rules are separated by commas: `allow NL203, NL205 …`.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL009"
SEVERITY = Severity.ERROR
