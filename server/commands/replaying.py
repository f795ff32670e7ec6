"""Replay: what was parked or left out is looked at again. Safe at any time; nothing bills twice."""

from datetime import UTC, datetime

import click

from server.commands.parts import account_named, billhook
from server.core.states import JobState
from server.flows.replay import Wanted
from server.flows.replay import replay as look_again


class When(click.ParamType[datetime]):
    """2026-03-02, or 2026-03-02T09:30, in UTC unless it says otherwise."""

    name = "time"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail("write it like 2026-03-02 or 2026-03-02T09:30", param, ctx)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


@click.command()
@click.option("--account", help="Needed where there are several.")
@click.option("--since", type=When(), help="Not before this time (UTC).")
@click.option("--until", type=When(), help="Before this time (UTC).")
@click.option("--state", type=click.Choice([state.value for state in JobState]))
@click.option("--cause", help="Such as problems, freshbooks:down or bug.")
@click.option("--dry-run", is_flag=True, help="Only say what would be looked at again.")
def replay(
    account: str | None,
    since: datetime | None,
    until: datetime | None,
    state: str | None,
    cause: str | None,
    dry_run: bool,
) -> None:
    """Look again at what was parked or left out."""
    with billhook() as parts:
        row = account_named(parts, account)
        wanted = Wanted(row.id, since, until, JobState(state) if state else None, cause)
        found = look_again(parts.world, wanted, dry_run=dry_run)
    for one in found:
        click.echo(f"{one.subject}  {one.why.strip().splitlines()[-1] if one.why.strip() else ''}")
    verb = "would be looked at again" if dry_run else "will be looked at again"
    click.echo(f"{len(found)} {verb}.")
