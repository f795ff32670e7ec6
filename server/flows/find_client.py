"""Whom the invoice is for: the client that the mapping remembers, else found, else made; once.

A client is a document too: two deals of a new customer at the same instant meet at its unique key,
and the second waits for the first. Who of FreshBooks' clients it is says ``client_match``.
"""

from datetime import timedelta

from server.core.errors import Certainty, TryLater
from server.core.invoice import DraftClient
from server.core.keys import digest
from server.core.said import say
from server.core.states import AttemptOutcome, DocumentState
from server.flows import look_up
from server.flows.attempt import died, noting, unsettled
from server.flows.client_match import chosen, matching
from server.flows.run import Run
from server.store import ledger
from server.store.db import Session
from server.store.ledger import AttemptRow, Frozen, Key
from server.vendors.freshbooks.client import FoundClient


def find_client(run: Run, client: DraftClient, currency: str) -> str:
    """The client's id at FreshBooks. Raises the outcomes."""
    home = f"freshbooks:{run.freshbooks_connection.external_id}"
    with run.world.database.read() as session:
        known = ledger.linked_client(session, home, client.key)
    if known is not None:
        return known.upstream_id
    key = Key(run.account_id, "client", digest(client.key), "client")
    before = _wait_for_another(run, key)
    found = chosen(matching(run.freshbooks, client))
    if found is None and before is not None and unsettled(before):
        # As it was sent: the contact may have been edited since.
        found = _search_sent(run, home, DraftClient(**before.draft["client"]))
    if found is not None:
        with run.phase() as session:
            _link(session, run, home, client.key, found.id, made_by_us=False)
        return str(found.id)
    return _make(run, home, key, client, currency, before)


def forget_client(run: Run, client_key: str) -> None:
    """The remembered client is gone upstream: match once again."""
    home = f"freshbooks:{run.freshbooks_connection.external_id}"
    with run.phase() as session:
        ledger.unlink_client(session, home, client_key)
        key = Key(run.account_id, "client", digest(client_key), "client")
        document = ledger.find(session, key)
        if document is not None:
            ledger.record(session, document.id, run.now(), state=DocumentState.DELETED)


def _wait_for_another(run: Run, key: Key) -> AttemptRow | None:
    """Another run (or an earlier one of ours that died) may be making this very client. Returns
    the last attempt, of which nobody's call can still be under way."""
    with run.world.database.read() as session:
        document = ledger.look(session, key)
        attempt = ledger.last_attempt(session, document.id) if document else None
    if attempt is None or not unsettled(attempt):
        return attempt
    waiting = look_up.wait_out(run, attempt)
    if waiting is None and attempt.outcome == AttemptOutcome.OPEN:
        died(run, attempt)
        waiting = look_up.wait_out(run, attempt)
    if waiting is None:
        return attempt
    after = timedelta(seconds=1) if attempt.outcome == AttemptOutcome.OPEN else waiting.after
    raise TryLater(
        "freshbooks:client",
        say("Another deal is making this client right now."),
        after=after,
        burns=False,
        certainty=Certainty.NOT_SENT,
    )


def _search_sent(run: Run, home: str, sent: DraftClient) -> FoundClient | None:
    """One that we may have made. A person without e-mail and organization is known by the name
    alone then, unless another key's client is that one."""
    if sent.email or sent.organization:
        return chosen(matching(run.freshbooks, sent))
    people = run.freshbooks.find_people(sent.first_name, sent.last_name)
    with run.world.database.read() as session:
        taken = ledger.linked_ids(session, home)
    return next((one for one in people if str(one.id) not in taken), None)


def _make(  # what is to be made, and what was known when it was looked for
    run: Run, home: str, key: Key, client: DraftClient, currency: str, seen: AttemptRow | None
) -> str:
    """Only if nobody began one since we looked: their call may have made it after our search."""
    draft = {"client": vars(client), "currency": currency}
    with run.phase() as session:
        run.must_still_hold(session, "freshbooks")
        document = ledger.open_document(session, key, run.now(), kind="client", home=home)
        last = ledger.last_attempt(session, document.id)
        overtaken = (last.id if last else None) != (seen.id if seen else None)
        if not overtaken:
            frozen = Frozen(draft, digest(draft))
            fresh = {"home": home, "upstream_id": None}
            attempt = ledger.begin(session, document, frozen, run.now(), **fresh)
    if overtaken:
        raise TryLater("freshbooks:client", say("Another deal just made this client."), burns=False)
    made = _call(run, attempt, client, currency)
    with run.phase() as session:
        ledger.end(
            session,
            attempt.id,
            AttemptOutcome.CREATED,
            run.now(),
            state=DocumentState.CREATED,
            upstream_id=str(made.id),
        )
        _link(session, run, home, client.key, made.id, made_by_us=True)
    return str(made.id)


def _call(run: Run, attempt: AttemptRow, client: DraftClient, currency: str) -> FoundClient:
    try:
        with noting(run, attempt):
            return run.freshbooks.create_client(client, currency)
    except TryLater as later:
        raise look_up.after_quiet(run, later) from later


def _link(
    session: Session, run: Run, home: str, client_key: str, client_id: int, *, made_by_us: bool
) -> None:
    ledger.link_client(
        session,
        home=home,
        client_key=client_key,
        account_id=run.account_id,
        upstream_id=str(client_id),
        made_by_us=made_by_us,
        created_at=run.now(),
    )
