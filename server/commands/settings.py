"""An account's rules and mapping as one JSON file, out and in."""

import json
from typing import IO, Any

import click

from server.commands.parts import account_named, billhook
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
    file.write(_pretty(document.to_json()))


@settings.command("import")
@click.argument("account")
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
def import_(account: str, file: IO[str]) -> None:
    """Read ACCOUNT's settings from FILE, or from standard input; all or nothing."""
    with billhook() as parts:
        row = account_named(parts, account)
        try:
            document = change_settings.save(parts.world, row.id, _read(file), "settings import")
        except InvalidSettings as wrong:
            raise click.ClickException(_errors(wrong)) from wrong
    rules = ", ".join(rule.slug for rule in document.rules) or "none"
    click.echo(f"Saved. Rules: {rules}. See which are on with: billhook rules list {row.name}")


@settings.command()
def schema() -> None:
    """The JSON Schema of the file."""
    click.echo(_pretty(json_schema()), nl=False)


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


def _read(file: IO[str]) -> Any:
    try:
        return json.load(file)
    except (ValueError, RecursionError) as wrong:
        raise click.ClickException(f"The file is not JSON: {wrong}") from wrong


def _errors(wrong: InvalidSettings) -> str:
    lines = [f"  {path or 'the document'}: {words}" for path, words in wrong.errors]
    return "\n".join(["Nothing was saved. What is wrong:", *lines])


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
