"""The one vendor call that a token holder makes for Kommo: a new pair, wherever the account is now.

A Kommo account can be renamed; its old host then refuses every refresh, and the access token names
a host that knows the new one. Source: reference kommo §1.8.
"""

from server.core.tokens import TokenPair
from server.store import accounts
from server.store.accounts import ConnectionRow
from server.store.db import Database
from server.vendors.http import Caller
from server.vendors.kommo import auth
from server.vendors.oauth import OAuthApp


def renew_kommo(
    database: Database,
    caller: Caller,
    app: OAuthApp,
    row: ConnectionRow,
    pair: TokenPair,
    *,
    hosts: tuple[str, ...],
) -> TokenPair:
    """The next pair; where the account moved to then stands on ``row`` and in the database.

    Raises Reconnect and TryLater.
    """
    host, renewed = auth.refresh_wherever(
        caller,
        row.realm,
        app,
        access_token=pair.access,
        refresh_token=pair.refresh,
        allowed=hosts,
    )
    if host != row.realm:
        with database.write() as session:
            accounts.mark_connection(session, row.id, realm=host)
        row.realm = host
    return renewed
