"""The accounts: the name to use on the command line, both sides, and how they are."""

import click

from server.app import Wired
from server.commands.parts import billhook
from server.core.keys import AccountId
from server.flows.ensure import hook_url
from server.store import accounts as rows
from server.store.accounts import AccountRow, ConnectionRow

STATES = {
    "connected": "connected",
    "reconnect": "must be connected again",
    "disconnected": "disconnected",
}
HOOKS = ("kommo", "kommo-dp", "freshbooks")


@click.command()
@click.option("--hooks", is_flag=True, help="Also the secret URLs that vendors call.")
def accounts(hooks: bool) -> None:
    """The accounts and how their connections are."""
    with billhook() as parts:
        with parts.database.read() as session:
            everyone = rows.everyone(session)
        if not everyone:
            click.echo("There is no account yet. Run: billhook connect kommo")
        for account in everyone:
            _show(parts, account)
            if hooks:
                _show_hooks(parts, account)


def _show(parts: Wired, account: AccountRow) -> None:
    click.echo(account.name)
    with parts.database.read() as session:
        for vendor, title in (("kommo", "Kommo"), ("freshbooks", "FreshBooks")):
            row = rows.connection(session, account.id, vendor)
            click.echo(f"  {title:<11} {_side(row)}")


def _side(row: ConnectionRow | None) -> str:
    if row is None:
        return "not connected"
    where = row.realm if row.vendor == "kommo" else f"business {row.external_id}"
    state = STATES.get(row.state, row.state)
    if row.state == "connected" and row.down_since is not None:
        state = f"does not answer since {row.down_since:%Y-%m-%d %H:%M} UTC"
    return f"{row.name} ({where}): {state}"


def _show_hooks(parts: Wired, account: AccountRow) -> None:
    with parts.database.write() as session:
        for kind in HOOKS:
            url = hook_url(parts.world, session, AccountId(account.id), kind)
            click.echo(f"  {kind:<11} {url}")
