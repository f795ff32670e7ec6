"""Whatever a stranger sends to any address: a clear 4xx at once, nothing stored, no traceback."""

import json
from collections.abc import Iterator
from time import monotonic

import pytest
import requests
from werkzeug.routing import Rule

from server.sandbox.browser import call
from server.store import accounts
from server.store.tables import Base
from tests.rig import Rig

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
AT_ONCE = 5.0  # seconds, on a busy machine; the slowest body takes some 0.1 s to refuse
DEEP = 1000

BODIES = {
    "10 MB": (FORM, b"a=" + b"x" * 10 * 1024 * 1024),
    "10 MB of JSON": (JSON, b'"' + b"x" * 10 * 1024 * 1024 + b'"'),
    "100,000 keys": (FORM, "&".join(f"leads[add][{n}][id]={n}" for n in range(100_000)).encode()),
    "100,000 keys of JSON": (JSON, json.dumps({f"k{n}": n for n in range(100_000)}).encode()),
    "1,000 deep": (FORM, b"leads" + b"[a]" * DEEP + b"=1"),
    "1,000 deep in JSON": (JSON, b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    "100,000 deep in JSON": (JSON, b"[" * 100_000),
    "broken UTF-8": (FORM, b"leads[add][0][id]=\xff\xfe"),
    "broken UTF-8, escaped": (FORM, b"leads[add][0][id]=%ff%fe"),
    "broken UTF-8 in JSON": (JSON, b'{"a": "\xff"}'),
    "another content type": ("text/xml", b"<leads/>"),
    "no content type": ("", b"leads[add][0][id]=1"),
    "a file": ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--"),
    "no JSON": (JSON, b"{"),
    "JSON that is no object": (JSON, b"[1]"),
    "nothing": (FORM, b""),
}


@pytest.fixture
def rig(shared_rig: Rig) -> Rig:
    """What is refused leaves nothing behind, which each test proves."""
    return shared_rig


def rows(rig: Rig) -> dict[str, int]:
    with rig.database.read() as session:
        return {table.name: session.query(table).count() for table in Base.metadata.tables.values()}


def addresses(rig: Rig) -> Iterator[tuple[Rule, str]]:
    """Every address, with a key that is ours where one stands in it, and with one that is not."""
    for rule in rig.app.url_map.iter_rules():
        path = str(rule)
        for vendor in ("kommo", "freshbooks") if "vendor" in rule.arguments else ("",):
            at = path.replace("<any(kommo, freshbooks):vendor>", vendor)
            yield rule, at.replace("<path:filename>", "billhook.css")
    for kind in ("kommo", "kommo-dp", "freshbooks"):
        rule = next(r for r in rig.app.url_map.iter_rules() if r.endpoint == "hooks.kommo")
        yield rule, rig.hook_url(kind).removeprefix(rig.url)


def filled(path: str) -> str:
    return path.replace("<any(kommo, 'kommo-dp'):kind>", "kommo").replace("<key>", "unknown")


def refused(reply: requests.Response) -> bool:
    assert "Traceback" not in reply.text
    return 400 <= reply.status_code < 500


@pytest.mark.parametrize("what", BODIES)
def test_a_bad_body_is_refused_at_every_address(rig: Rig, what: str) -> None:
    content_type, body = BODIES[what]
    headers = {"Content-Type": content_type} if content_type else {}
    before = rows(rig)
    for _rule, path in addresses(rig):
        began = monotonic()
        reply = call("POST", rig.url + filled(path), data=body, headers=headers)
        assert refused(reply), (path, reply.status_code)
        assert len(reply.content) < 2000
        assert monotonic() - began < AT_ONCE, path
    assert rows(rig) == before


def test_a_body_that_does_not_say_its_length_is_cut_off(rig: Rig) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(160):
            yield b"x" * 64 * 1024

    reply = call("POST", rig.hook_url(), data=endless(), headers={"Content-Type": FORM})
    assert refused(reply)


@pytest.mark.parametrize("key", ["unknown", "x" * 5000, "%00", "%ff", "a%2Fb", "."])
@pytest.mark.parametrize("kind", ["kommo", "kommo-dp", "freshbooks"])
def test_an_unknown_key_is_a_404(rig: Rig, kind: str, key: str) -> None:
    before = rows(rig)
    body = b"leads[add][0][id]=1"
    reply = call("POST", f"{rig.url}/hooks/{kind}/{key}", data=body, headers={"Content-Type": FORM})
    assert reply.status_code in (404, 405)
    assert reply.json()["error"]
    assert rows(rig) == before


def test_a_key_of_one_kind_does_not_open_another(rig: Rig) -> None:
    key = rig.hook_url("kommo").rpartition("/")[2]
    for kind in ("kommo-dp", "freshbooks"):
        reply = call("POST", f"{rig.url}/hooks/{kind}/{key}", data={"a": "1"})
        assert reply.status_code == 404


def test_a_key_that_was_right_and_is_no_more_opens_nothing(rig: Rig) -> None:
    url, form = rig.hook_url("kommo-dp"), {"Content-Type": FORM}
    assert call("POST", url, data=b"leads[add][0][id]=1", headers=form).status_code == 204
    with rig.database.write() as session:
        hook = accounts.hook_of(session, rig.account_id, "kommo-dp")
        assert hook is not None
        right, hook.key_hash = hook.key_hash, "another"
    before = rows(rig)
    assert call("POST", url, data=b"leads[add][0][id]=1", headers=form).status_code == 404
    assert rows(rig) == before
    with rig.database.write() as session:
        session.get_one(accounts.HookRow, hook.id).key_hash = right


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
def test_a_hook_is_posted(rig: Rig, method: str) -> None:
    reply = call(method, rig.hook_url())
    assert reply.status_code == 405
    assert "POST" in reply.headers["Allow"]


def test_a_good_hook_is_taken_without_a_word(rig: Rig) -> None:
    body = (
        b"leads[status][0][id]=1&leads[status][0][status_id]=142"
        b"&leads[status][0][pipeline_id]=7&account[id]=%d" % rig.kommo.account_id
    )
    before = rows(rig)
    for kind in ("kommo", "kommo-dp"):
        reply = call("POST", rig.hook_url(kind), data=body, headers={"Content-Type": FORM})
        assert (reply.status_code, reply.content) == (204, b"")
    assert rows(rig)["event"] == before["event"] + 2


def test_a_callback_that_we_never_registered_is_refused(rig: Rig) -> None:
    before = rows(rig)
    body = {"name": "callback.verify", "object_id": "1", "account_id": "x", "verifier": "v"}
    reply = call("POST", rig.hook_url("freshbooks"), data=body)
    assert reply.status_code == 403
    assert rows(rig) == before


def test_a_signed_callback_is_kept(rig: Rig) -> None:
    """The documented example and its signature (reference freshbooks §6.4)."""
    verifier = "scADVVi5QuKuj5qTjVkbJNYQe7V7USpGd"
    body = (
        b"name=invoice.create&object_id=1234567&account_id=6BApk"
        b"&business_id=6543&identity_id=1234&user_id=1"
    )
    url = rig.hook_url("freshbooks")
    with rig.database.write() as session:
        hook = accounts.hook_of(session, rig.account_id, "freshbooks")
        assert hook is not None
        owner = f"hook:{rig.account_id}:freshbooks"
        hook.verifier_sealed = rig.world.vault.seal(owner, verifier)
    before = rows(rig)["event"]
    for signature, status in [
        ("/S03vyYmI7CekM4YXBHUhs9o5rnMtqGLrW3aA8S9gPc=", 204),
        ("AAAAvyYmI7CekM4YXBHUhs9o5rnMtqGLrW3aA8S9gPc=", 403),
        ("", 403),
    ]:
        headers = {"Content-Type": FORM, "X-FreshBooks-Hmac-SHA256": signature}
        assert call("POST", url, data=body, headers=headers).status_code == status
    assert rows(rig)["event"] == before + 1
