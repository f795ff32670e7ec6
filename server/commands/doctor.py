"""Is everything as it must be? Each line says what is wrong and what to do about it."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

import click

from server.app import Wired
from server.commands.parts import TO_SERVE, opened
from server.config import BadConfig, Config, variable
from server.core.errors import Outcome, TryLater
from server.core.keys import AccountId
from server.flows import world as outside
from server.flows.connect import unrecorded
from server.flows.ensure import hook_url
from server.store import accounts, migrate
from server.store.accounts import AccountRow, ConnectionRow
from server.store.migrate import NoDatabase
from server.store.secrets import CannotOpen

SKEW = timedelta(seconds=60)  # entries are compared with Kommo's times to the second


@dataclass(frozen=True)
class Finding:
    """``todo`` empty: all is well with ``what``."""

    what: str
    todo: str = ""


@click.command()
def doctor() -> None:
    """Check settings, database, keys, clock, vendors and hooks; exits 1 if one is wrong."""
    sick = False
    for finding in _examine():
        sick = sick or bool(finding.todo)
        mark = "wrong" if finding.todo else "ok"
        click.echo(f"{mark:<6} {finding.what}" + (f": {finding.todo}" if finding.todo else ""))
    sys.exit(1 if sick else 0)


def _examine() -> Iterator[Finding]:
    try:
        config = Config.from_env(os.environ)
    except BadConfig as wrong:
        yield from (Finding("settings", problem) for problem in wrong.problems)
        return
    missing = [variable(name) for name in TO_SERVE if not getattr(config, name)]
    yield Finding("settings", f"set {', '.join(missing)} (docs/settings.md)" if missing else "")
    if config.sqlite_file is not None and not config.sqlite_file.exists():
        # to open it would make one, and keys beside it: a look changes nothing
        absent = f"none at {config.sqlite_file.absolute()}; run billhook serve to make it there"
        yield Finding("database", f"{absent}, or look from the folder that it is served from")
        return
    with opened(config.with_local_keys()) as parts:
        database = _database(parts)
        yield database
        yield from _vendors(parts, config)
        if not database.todo:
            yield from _accounts(parts)


def _database(parts: Wired) -> Finding:
    on_sqlite = parts.database.engine.dialect.name == "sqlite"
    try:
        there = migrate.current(parts.database.engine)
    except NoDatabase as wrong:
        return Finding("database", str(wrong))
    todo = "run billhook migrate" + (", or just billhook serve" if on_sqlite else "")
    return Finding("database", "" if there == migrate.head() else todo)


def _vendors(parts: Wired, config: Config) -> Iterator[Finding]:
    """Reachable, and does our clock agree with theirs?"""
    urls = {"kommo": config.kommo_auth_url, "freshbooks": config.freshbooks_api_url}
    for vendor, url in urls.items():
        try:
            reply = parts.world.caller(vendor, unrecorded).send("GET", url)
        except TryLater as down:
            yield Finding(f"{vendor} at {url}", f"{down.sentence} Check the network and the URL.")
            continue
        yield Finding(f"{vendor} at {url}")
        if config.clock_url or not reply.headers.get("Date"):
            continue
        skew = abs(parts.world.clock.now() - parsedate_to_datetime(reply.headers["Date"]))
        late = f"{skew.total_seconds():.0f} s away from {vendor}'s; set this machine's time (NTP)"
        yield Finding("clock", late if skew > SKEW else "")


def _accounts(parts: Wired) -> Iterator[Finding]:
    with parts.database.read() as session:
        everyone = accounts.everyone(session)
    for account in everyone:
        for vendor in ("kommo", "freshbooks"):
            with parts.database.read() as session:
                row = accounts.connection(session, account.id, vendor)
            yield _connection(account, vendor, row)
            if row is not None and row.state == "connected" and vendor == "kommo":
                yield _webhook(parts, account, row)


def _connection(account: AccountRow, vendor: str, row: ConnectionRow | None) -> Finding:
    what = f"{account.name}: {vendor}"
    if row is not None and row.state == "connected":
        return Finding(what)
    return Finding(what, f"run billhook connect {vendor} {account.name}")


def _webhook(parts: Wired, account: AccountRow, row: ConnectionRow) -> Finding:
    """Also whether the keys open what is stored, and whether the access still works."""
    what = f"{account.name}: webhook at Kommo"
    try:
        with parts.database.write() as session:
            url = hook_url(parts.world, session, AccountId(account.id), "kommo")
        hook = outside.kommo_client(parts.world, row, unrecorded).webhook(url)
    except CannotOpen as wrong:
        return Finding(f"{account.name}: keys", str(wrong))
    except Outcome as wrong:
        return Finding(what, str(wrong))
    if hook is None:
        return Finding(what, "not there; it is made within the hour while billhook serve runs")
    again = "disabled by Kommo; it is enabled again within the hour while billhook serve runs"
    return Finding(what, again if hook.disabled else "")
