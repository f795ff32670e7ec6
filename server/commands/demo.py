"""``billhook demo``: everything on this machine, one page to open or one story to read."""

import threading

import click

from server.commands.parts import in_foreground
from server.demo.script import tell
from server.demo.start import DemoFailed, running


@click.command()
@click.option("--script", is_flag=True, help="Walk the story in the terminal instead.")
@click.option(
    "--port", default=8090, show_default=True, type=click.IntRange(0, 65535),
    help="Of the page; 0 takes a free one.",
)  # fmt: skip
def demo(script: bool, port: int) -> None:
    """Sandbox and server, connected and seeded; prints one URL to open."""
    port = 0 if script else port
    try:
        with in_foreground(port), running(click.echo, port=port) as stage:
            if script:
                tell(stage, click.echo)
                click.echo("\nThe story came true.")
                return
            click.echo(f"\nOpen {stage.sandbox.control_url}/ and drag a deal to “Issue invoice”.")
            click.echo(f"Billhook's settings, as in Kommo: {stage.demo.kommo.url}/settings-frame")
            click.echo("Stop with Ctrl-C.")
            threading.Event().wait()
    except DemoFailed as failed:
        raise click.ClickException(str(failed)) from failed
