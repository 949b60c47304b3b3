"""NL903 import-number: The source does not say which issue it is, or names two.

The number is taken from a title such as “US-Japan Alliance Digest Vol 2.20”, or from
`issue:` in the front matter of a draft. Two different numbers in titles are not
decided by guessing. Nothing is written.

Wrong: a title “Alliance Digest, October”. Right: “Alliance Digest Vol 2.20”.
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL903"
SEVERITY = Severity.ERROR
