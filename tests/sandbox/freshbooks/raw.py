"""The emulated FreshBooks by raw requests: what a caller sends, and what comes back."""

from typing import Any

import requests

from server.sandbox.freshbooks import Business, FreshbooksWorld

REDIRECT = "https://billhook.example/oauth/freshbooks/callback"


class Api:
    """The API as a caller sees it: paths below the account unless they start at the root."""

    def __init__(self, world: FreshbooksWorld, biz: Business, client_id: str = "app-1") -> None:
        self.base_url = world.base_url
        self.account = f"/accounting/account/{biz.account_id}"
        self.hooks = f"/events/account/{biz.account_id}/events/callbacks"
        self.session = requests.Session()
        self.session.trust_env = False
        self._grant = lambda: world.grant(biz.owner, client_id).access_token
        self.renew()

    def renew(self) -> None:
        """A new token, for the old one lives twelve hours."""
        self.token = self._grant()

    def call(self, method: str, path: str, **how: Any) -> requests.Response:
        url = path if path.startswith("http") else self.base_url + self._whole(path)
        headers = {"Authorization": f"Bearer {self.token}"} | how.pop("headers", {})
        return self.session.request(
            method, url, headers=headers, timeout=10, allow_redirects=False, **how
        )

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params={_search(key): v for key, v in params.items()})

    def post(self, path: str, **body: Any) -> requests.Response:
        return self.call("POST", path, json=body)

    def put(self, path: str, **body: Any) -> requests.Response:
        return self.call("PUT", path, json=body)

    def _whole(self, path: str) -> str:
        return path if path.startswith("/") else f"{self.account}/{path}"

    # what most tests begin with
    def client(self, **fields: Any) -> Any:
        return result(self.post("users/clients", client=fields))["client"]

    def invoice(self, client_id: int, *lines: dict[str, Any], **fields: Any) -> Any:
        body = {"customerid": client_id, "create_date": "2026-03-02", "lines": list(lines)}
        return result(self.post("invoices/invoices", invoice=body | fields))["invoice"]

    def change(self, invoice_id: int, **fields: Any) -> Any:
        return result(self.put(f"invoices/invoices/{invoice_id}", invoice=fields))["invoice"]

    def numbers(self, **search: Any) -> list[str]:
        """Invoice numbers of the list under these searches."""
        rows = result(self.get("invoices/invoices", **search))["invoices"]
        return [row["invoice_number"] for row in rows]

    def pay(self, invoice_id: int, amount: str, /, **fields: Any) -> requests.Response:
        body = {
            "invoiceid": invoice_id,
            "amount": {"amount": amount},
            "date": "2026-03-02",
            "type": "Cash",
        }
        return self.post("payments/payments", payment=body | fields)


def _search(key: str) -> str:
    """``date_min=`` is search[date_min]; page, per_page, sort and include stand alone."""
    if key == "include":
        return "include[]"
    return key if key in ("page", "per_page", "sort", "share_method") else f"search[{key}]"


def result(reply: requests.Response) -> Any:
    assert reply.status_code == 200, reply.text
    return reply.json()["response"]["result"]


def wrong(reply: requests.Response) -> tuple[int, int]:
    """(HTTP status, errno) of a refusal in the classic shape."""
    return reply.status_code, reply.json()["response"]["errors"][0]["errno"]


def line(cost: str = "100.00", qty: Any = 1, **fields: Any) -> dict[str, Any]:
    return {"name": "Work", "qty": qty, "unit_cost": {"amount": cost}} | fields
