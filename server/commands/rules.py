"""Switching rules on and off. A rule bills what enters its stages from that moment on."""

import click

from server.commands.parts import account_named, billhook
from server.flows import change_settings
from server.flows.change_settings import NoSuchRule
from server.flows.settings_of import settings_of
from server.store import settings as rows

AUTHOR = "command line"  # what the history of settings shows


@click.group()
def rules() -> None:
    """Which rules an account has, and which are on."""


@rules.command("list")
@click.argument("account", required=False)
def list_(account: str | None) -> None:
    """ACCOUNT's rules, and since when each is on."""
    with billhook() as parts:
        row = account_named(parts, account)
        with parts.database.read() as session:
            document = settings_of(session, row.id)
            since = rows.switched_on(session, row.id)
    if not document.rules:
        click.echo("There is no rule yet. Run: billhook settings import")
    for rule in document.rules:
        at = since.get(rule.slug)
        state = f"on since {at:%Y-%m-%d %H:%M:%S} UTC" if at else "off"
        click.echo(f"{rule.slug}  {rule.name}: {state}")


@rules.command()
@click.argument("account")
@click.argument("slug")
def on(account: str, slug: str) -> None:
    """Bill what enters the rule's stages from now on. Older deals stay as they are."""
    with billhook() as parts:
        row = account_named(parts, account)
        try:
            changed = change_settings.switch_on(parts.world, row.id, slug, AUTHOR)
        except NoSuchRule as wrong:
            raise click.ClickException(str(wrong)) from wrong
    click.echo(f"{slug} is on." if changed else f"{slug} was on already.")


@rules.command()
@click.argument("account")
@click.argument("slug")
def off(account: str, slug: str) -> None:
    """Bill nothing more by this rule."""
    with billhook() as parts:
        row = account_named(parts, account)
        changed = change_settings.switch_off(parts.world, row.id, slug, AUTHOR)
        with parts.database.read() as session:
            known = [rule.slug for rule in settings_of(session, row.id).rules]
    if not changed and slug not in known:
        raise click.ClickException(str(NoSuchRule(slug, known)))
    click.echo(f"{slug} is off." if changed else f"{slug} was off already.")
