"""NL807 mail-active-content: The e-mail holds a script, a form or something else that runs.

Mail programs take it out, and spam filters take the whole mail for an attack.

    wrong: <form action="…"><input name="answer"></form>
    right: <a href="https://…">Answer on the web</a>
"""

from __future__ import annotations

from newsletter.diagnostics import Severity

CODE = "NL807"
SEVERITY = Severity.ERROR
