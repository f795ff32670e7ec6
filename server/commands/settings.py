"""An account's rules and mapping as one JSON file, out and in."""

import json
from typing import IO

import click

from server.commands.parts import account_named, billhook
from server.core import settings_file
from server.core.settings import InvalidSettings, json_schema
from server.flows import change_settings
from server.flows import world as outside
from server.flows.connect import unrecorded
from server.flows.settings_of import settings_of
from server.store import accounts


@click.group()
def settings() -> None:
    """An account's rules and mapping as one JSON file, out and in."""


@settings.command()
@click.argument("account", required=False)
@click.argument("file", type=click.File("w", encoding="utf-8"), default="-")
def export(account: str | None, file: IO[str]) -> None:
    """Write ACCOUNT's settings to FILE, or to the terminal."""
    with billhook() as parts:
        row = account_named(parts, account)
        with parts.database.read() as session:
            document = settings_of(session, row.id)
    file.write(settings_file.written(document))


@settings.command("import")
@click.argument("account")
@click.argument("file", type=click.File("rb"), default="-")
def import_(account: str, file: IO[bytes]) -> None:
    """Read ACCOUNT's settings from FILE, or from standard input; all or nothing."""
    with billhook() as parts:
        row = account_named(parts, account)
        try:
            document = settings_file.read(file.read(settings_file.LARGEST + 1))
            change_settings.save(parts.world, row.id, document.to_json(), "settings import")
        except InvalidSettings as wrong:
            raise click.ClickException(_errors(wrong)) from wrong
    rules = ", ".join(rule.slug for rule in document.rules) or "none"
    click.echo(f"Saved. Rules: {rules}. See which are on with: billhook rules list {row.name}")


@settings.command()
def schema() -> None:
    """The JSON Schema of the file."""
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@settings.command()
@click.argument("account", required=False)
def names(account: str | None) -> None:
    """What ACCOUNT's rules and mapping can name: stages, and the fields of its deals."""
    with billhook() as parts:
        row = account_named(parts, account)
        with parts.database.read() as session:
            connected = accounts.connection(session, row.id, "kommo")
        if connected is None:
            raise click.ClickException(f"Run first: billhook connect kommo {row.name}")
        kommo = outside.kommo_client(parts.world, connected, unrecorded)
        pipelines, fields = kommo.pipelines(), kommo.deal_fields()
    for pipeline in pipelines:
        click.echo(f'{pipeline.name}: "pipeline_id": {pipeline.id}')
        for stage in pipeline.stages:
            click.echo(f'  {stage.name}: "stage_id": {stage.id}')
    click.echo("Fields of deals:")
    for field in fields:
        key = f"code.{field['code']}" if field.get("code") else f"cf.{field['id']}"
        click.echo(f'  {field["name"]}: {{"field": "deal.{key}"}}')


def _errors(wrong: InvalidSettings) -> str:
    lines = [f"  {path or 'the document'}: {words}" for path, words in wrong.errors]
    return "\n".join(["Nothing was saved. What is wrong:", *lines])
