"""The ``billhook`` command. Commands live in ``commands``, a story a file; here they are named."""

from typing import Any

import click

from server import __version__
from server.app import log_quietly
from server.clock import NoClock
from server.commands import accounts, connecting, demo, doctor, replaying, rules, serving, settings
from server.config import BadConfig
from server.core.errors import Outcome
from server.flows.connect import CannotConnect
from server.resources import ResourceMissing
from server.store.migrate import NoDatabase
from server.store.secrets import CannotOpen


class PlainWords(click.Group):
    """What a person can do something about is said in a sentence, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (
            BadConfig,
            Outcome,
            CannotConnect,
            CannotOpen,
            NoClock,
            NoDatabase,
            ResourceMissing,
        ) as wrong:
            raise click.ClickException(str(wrong)) from wrong
        except OSError as wrong:
            if not wrong.filename:
                raise
            raise click.ClickException(f"{wrong.filename}: {wrong.strerror}.") from wrong


@click.group(cls=PlainWords)
@click.version_option(__version__, prog_name="billhook")
def main() -> None:
    """Billhook turns a Kommo deal into a FreshBooks invoice: never lost, never twice."""
    log_quietly()


for command in (
    serving.serve,
    serving.migrate,
    serving.sandbox,
    demo.demo,
    doctor.doctor,
    accounts.accounts,
    connecting.connect,
    settings.settings,
    rules.rules,
    replaying.replay,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
