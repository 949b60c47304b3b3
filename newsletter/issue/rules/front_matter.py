"""NL005 front-matter: The front matter cannot be read.

An issue file begins with a line `---`, then one “key: value” a line, then `---`
again. Values are text. One that holds a colon and a space, or begins with a
quotation mark, `@`, `&`, `*` or `%`, stands in double quotes.

Wrong:

    subject: Tokyo: a new ambassador

Right:

    ---
    issue: 2.20
    date: 2023-10-31
    subject: "Tokyo: a new ambassador"
    ---
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL005"
SEVERITY = Severity.ERROR
