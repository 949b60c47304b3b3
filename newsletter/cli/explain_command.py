"""`newsletter explain`: the manual page of a rule is the docstring of its module."""

from __future__ import annotations

from difflib import get_close_matches

import click

from newsletter.errors import UsageError
from newsletter.issue.rules import all_rules, find_rule


@click.command("explain")
@click.argument("rule", required=False)
def command(rule: str | None) -> None:
    """Explain a rule, or list them all.

    RULE is a code (NL104) or a name (item-count).
    """
    if rule is None:
        for entry in all_rules():
            click.echo(f"{entry.code}  {entry.severity:7}  {entry.name:28}  {entry.summary}")
        return
    found = find_rule(rule)
    if found is None:
        names = [name for entry in all_rules() for name in (entry.code, entry.name)]
        near = get_close_matches(rule.upper(), names, 1) or get_close_matches(rule, names, 1)
        raise UsageError(
            f"there is no rule “{rule}”",
            hint=f"did you mean {near[0]}?" if near else "newsletter explain lists them all",
        )
    click.echo(found.manual)
    click.echo(f"\nSeverity: {found.severity}.", nl=False)
    if found.waivable:
        click.echo(f" Waive it with a reason: <!-- newsletter: allow {found.code} reason -->")
    else:
        click.echo(" It cannot be waived.")
