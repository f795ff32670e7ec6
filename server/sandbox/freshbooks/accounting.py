"""The routes under /accounting: list, create, read, change, delete of each resource (§2)."""

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from server.sandbox.freshbooks import catalog
from server.sandbox.freshbooks.errors import not_found, refused
from server.sandbox.freshbooks.events import fire
from server.sandbox.freshbooks.listing import listing
from server.sandbox.freshbooks.pdf import invoice_pdf
from server.sandbox.freshbooks.reply import books_of, json_reply, result, sent_object, world
from server.sandbox.freshbooks.resources import ALL, INVOICES, Resource
from server.sandbox.freshbooks.state import Books, Row

accounting = Blueprint("accounting", __name__, url_prefix="/accounting/account/<account_id>")


def _resource(family: str, name: str) -> Resource:
    found = ALL.get(f"{family}/{name}")
    if found is None:
        raise NotFound
    return found


def _opened(account_id: str, resource: Resource, *, write: bool = False) -> Books:
    books = books_of(account_id, resource.scope, write=write)
    resource.gate(books)
    return books


def _row(books: Books, resource: Resource, row_id: int, *, write: bool = False) -> Row:
    """A deleted row can still be read; its vis_state says so."""
    row = resource.table(books).get(row_id)
    hidden = row is not None and row["vis_state"] == 1 and not books.switches.deleted_readable
    if row is None or (hidden and not write):
        raise not_found(resource.one, resource.id_key, row_id)
    return row


def _includes() -> frozenset[str]:
    return frozenset(request.args.getlist("include[]"))


@accounting.get("/<family>/<name>")
def list_rows(account_id: str, family: str, name: str) -> Response:
    resource = _resource(family, name)
    books = _opened(account_id, resource)
    rows, page = listing(books, resource.table(books), resource.searches, request.args)
    includes = _includes()
    shown = [resource.shown(books, row, includes) for row in rows]
    return result(**{resource.many: shown}, **page)


@accounting.post("/<family>/<name>")
def create_row(account_id: str, family: str, name: str) -> Response:
    resource = _resource(family, name)
    books = _opened(account_id, resource, write=True)
    row = resource.create(books, sent_object(resource.one))
    fire(books, f"{resource.one}.create", row["id"], by_api=True)
    _fire_for_invoice(books, resource, row)
    includes = _includes() if books.switches.create_includes else frozenset()
    return result(**{resource.one: resource.shown(books, row, includes)})


@accounting.get("/<family>/<name>/<int:row_id>")
def read_row(account_id: str, family: str, name: str, row_id: int) -> Response:
    if (family, name) == ("systems", "systems"):
        return _system(account_id, row_id)
    resource = _resource(family, name)
    books = _opened(account_id, resource)
    row = _row(books, resource, row_id)
    return result(**{resource.one: resource.shown(books, row, _includes())})


@accounting.put("/<family>/<name>/<int:row_id>")
def change_row(account_id: str, family: str, name: str, row_id: int) -> Response:
    resource = _resource(family, name)
    books = _opened(account_id, resource, write=True)
    row = _row(books, resource, row_id, write=True)
    for event in resource.update(books, row, sent_object(resource.one)):
        fire(books, event, row_id, by_api=True)
    _fire_for_invoice(books, resource, row)
    return result(**{resource.one: resource.shown(books, row, _includes())})


@accounting.delete("/<family>/<name>/<int:row_id>")
def delete_row(account_id: str, family: str, name: str, row_id: int) -> Response:
    resource = _resource(family, name)
    if not resource.delete:
        raise MethodNotAllowed(["GET", "PUT"])
    books = _opened(account_id, resource, write=True)
    row = _row(books, resource, row_id, write=True)
    if resource.delete == "real":
        del resource.table(books)[row_id]
    else:
        resource.update(books, row, {"vis_state": 1})
    fire(books, f"{resource.one}.delete", row_id, by_api=True)
    return json_reply({"response": {}})


@accounting.get("/invoices/invoices/<int:row_id>/share_link")
def share_link(account_id: str, row_id: int) -> Response:
    """Only for what has been sent: a client cannot open a draft (reference §3.5)."""
    books = _opened(account_id, INVOICES)
    row = _row(books, INVOICES, row_id)
    if row["vis_state"] == 1:
        raise not_found("invoice", "invoiceid", row_id)
    if row["status"] == 1:
        message = "The invoice must be sent before it can be shared."
        raise refused(422, 1004, message, field="invoiceid", object="invoice", value=str(row_id))
    link = f"{world().env.app_url}/#/link/{row['share_token']}"
    link += "?type=secondary&share_method=share_link"
    found = {"clientid": row["customerid"], "resource_type": "invoice", "resourceid": row_id}
    return result(share_link=found | {"share_link": link, "share_method": "share_link"})


@accounting.get("/invoices/invoices/<int:row_id>/pdf")
def pdf(account_id: str, row_id: int) -> Response:
    books = _opened(account_id, INVOICES)
    content = invoice_pdf(books, _row(books, INVOICES, row_id))
    return Response(content, content_type="application/pdf")


def _fire_for_invoice(books: Books, resource: Resource, row: Row) -> None:
    """Whether a payment also fires for its invoice is unknown: a switch."""
    if resource.one == "payment" and books.switches.payment_fires_invoice_update:
        fire(books, "invoice.update", row["invoiceid"], by_api=True)


def _system(account_id: str, system_id: int) -> Response:
    books = books_of(account_id, "")
    if system_id != books.system_id:
        raise not_found("system", "systemid", system_id)
    return result(system=catalog.shown_system(books))
