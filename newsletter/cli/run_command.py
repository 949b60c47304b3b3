"""`newsletter run`: the one long process, which does at each slot what is due."""

from __future__ import annotations

from functools import partial

import click

from newsletter.cli.shared import workspace_at


@click.command("run")
@click.option("--once", is_flag=True, help="Do what is due now, and end: for cron.")
@click.pass_obj
def command(start: str, once: bool) -> int:
    """Send at each slot what is approved, until it is stopped.

    Reminds the editors while nothing is approved, holds what is due so that newsletter
    stop can stop it, sends it, and reports. Never sends what is not approved, and
    nothing by itself that is later than schedule.max_late. A second one on the same
    database stands by, and takes over when the first ends.

    Serves the public pages meanwhile (see newsletter serve), unless web.in_run is false.

    SIGTERM and Ctrl-C end it in order; a new start goes on where it was. With --once it
    does what is due now and sees it to the end, and serves nothing; call it every few
    minutes.
    """
    from newsletter.calendar.process import Process
    from newsletter.cli.composing import composed_apart
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    with open_store(workspace) as store:
        process = Process(
            store,
            workspace,
            compose=partial(composed_apart, is_quiet=True),
            say=partial(click.echo, err=True),
        )
        if once:
            return 0 if process.run_once() else 2
        if not workspace.config.web.in_run:
            process.run()
            return 0
        from newsletter.web.child import serving

        with serving(workspace, say=partial(click.echo, err=True)):
            process.run()
    return 0
