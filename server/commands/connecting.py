"""Connecting in the terminal: a link to open, both sides named, a confirmation."""

import threading
from collections.abc import Mapping
from typing import Any

import click

from server.app import Wired
from server.commands.parts import account_named, billhook
from server.flows import connect as tickets
from server.flows import connect_freshbooks, connect_kommo
from server.flows.connect import Progress
from server.store.accounts import AccountRow

GLANCE = 0.5  # seconds between two looks at the ticket
ENDED = {
    "expired": "The link has expired. Run the command again.",
    "failed": "The connection was not made.",
}


@click.group()
def connect() -> None:
    """Connect an account to Kommo or FreshBooks. The server must be running."""


@connect.command()
@click.argument("account", required=False)
@click.option("--yes", is_flag=True, help="Do not ask; take what comes back.")
def kommo(account: str | None, yes: bool) -> None:
    """Connect a Kommo account; without ACCOUNT, to a new one or the one it had before."""
    with billhook("public_url", "kommo_client_id", "kommo_client_secret") as parts:
        row = account_named(parts, account) if account else None
        ticket = tickets.mint(parts.world, "kommo", row.id if row else None)
        summary = _wait_for_consent(parts, "kommo", ticket)
        side = f"Kommo: {summary['name']} ({summary['host']})"
        _confirm(side, row, yes)
        connection = connect_kommo.complete(parts.world, ticket)
        with parts.database.read() as session:
            name = tickets.named_account(session, connection.account_id).name
    click.echo(f"Connected. The account is called {name}.")


@connect.command()
@click.argument("account", required=False)
@click.option("--business", type=int, help="The business's id, where there are several.")
@click.option("--change", is_flag=True, help="This business takes the place of another one.")
@click.option("--yes", is_flag=True, help="Do not ask; take what comes back.")
def freshbooks(account: str | None, business: int | None, change: bool, yes: bool) -> None:
    """Connect a FreshBooks business to ACCOUNT."""
    with billhook("public_url", "freshbooks_client_id", "freshbooks_client_secret") as parts:
        row = account_named(parts, account)
        ticket = tickets.mint(parts.world, "freshbooks", row.id)
        summary = _wait_for_consent(parts, "freshbooks", ticket)
        chosen = _choose(summary["businesses"], business, yes)
        _confirm(f"FreshBooks: {chosen['label']}, as {summary['email']}", row, yes)
        connect_freshbooks.complete(parts.world, ticket, chosen["id"], change=change)
    click.echo(f"Connected. {row.name} writes its invoices in {chosen['name']}.")


def _wait_for_consent(parts: Wired, vendor: str, ticket: str) -> Mapping[str, Any]:
    """Until the browser has been there and back: what came back."""
    click.echo("Open this link in your browser; it works once, for half an hour:")
    click.echo(tickets.start_url(parts.world, vendor, ticket))
    while True:
        progress: Progress = tickets.look(parts.world, ticket)
        if progress.stage == "returned":
            return progress.summary
        if progress.stage in ENDED:
            raise click.ClickException(progress.said or ENDED[progress.stage])
        threading.Event().wait(GLANCE)


def _choose(businesses: list[dict[str, Any]], wanted: int | None, yes: bool) -> dict[str, Any]:
    if wanted is None and len(businesses) > 1 and not yes:
        for business in businesses:
            click.echo(f"  {business['label']}")
        ids = [str(business["id"]) for business in businesses]
        wanted = int(click.prompt("Which business", type=click.Choice(ids)))
    if wanted is None and len(businesses) > 1:
        labels = ", ".join(business["label"] for business in businesses)
        raise click.ClickException(f"Say which --business: {labels}")
    found = next((one for one in businesses if wanted in (None, one["id"])), None)
    if found is None:
        raise click.ClickException(f"There is no business {wanted} that may be connected.")
    return found


def _confirm(side: str, account: AccountRow | None, yes: bool) -> None:
    click.echo(side)
    click.echo(f"Account: {account.name if account else 'a new one, or the one it had before'}")
    if not yes:
        click.confirm("Connect them", abort=True)
