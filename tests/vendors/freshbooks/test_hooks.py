"""FreshBooks' callbacks: signatures as recorded, bodies within limits."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest

from server.sandbox import Sandbox
from server.vendors.freshbooks.client import FreshbooksClient
from server.vendors.freshbooks.hooks import (
    MAX_BODY,
    SIGNATURE_HEADER,
    BadHook,
    FreshbooksHook,
    genuine,
    parse,
)
from tests.recorded_cases import ABSENT, cases_folder

FORM = "application/x-www-form-urlencoded"


def vectors() -> list[Any]:
    folder = cases_folder()
    if folder is None:
        return [pytest.param(None, marks=pytest.mark.skip(ABSENT))]
    file = folder / "freshbooks/webhook-signature-vectors.json"
    return [pytest.param(row, id=row["name"]) for row in json.loads(file.read_text("utf-8"))]


@pytest.mark.cases("freshbooks signatures")
@pytest.mark.parametrize("row", vectors())
def test_a_recorded_signature_is_genuine_and_nothing_near_it(
    row: dict[str, Any], cases: Path
) -> None:
    raw, verifier, signature = row["body"].encode(), row["verifier"], row["signature"]
    assert genuine(raw, signature, verifier)
    assert not genuine(raw + b"&x=1", signature, verifier)
    assert not genuine(raw, signature, verifier + "x")
    assert not genuine(raw, signature.lower(), verifier)
    hook = parse(raw, FORM)
    assert hook.name in row["message"]
    assert hook.is_handshake == (row["name"] == "verify")


def test_the_reference_s_own_vector_of_a_handshake_holds() -> None:
    raw = (
        b"user_id=1&name=callback.verify&verifier=scADVVi5QuKuj5qTjVkbJNYQe7V7USpGd&object_id=2001"
        b"&account_id=6BApk&system=https%3A%2F%2Fdemo.freshbooks.com"
    )
    verifier = "scADVVi5QuKuj5qTjVkbJNYQe7V7USpGd"
    assert genuine(raw, "ZgZdS/+MDyA/bkN/0RVPSja5yIiZSSCfMj3YwvQSUR4=", verifier)
    hook = parse(raw, FORM)
    assert hook == FreshbooksHook("callback.verify", 2001, "6BApk", verifier)
    assert verifier not in repr(hook)


@pytest.mark.parametrize("header", ["", None, "ü", "x" * 10_000])
def test_a_missing_or_odd_signature_is_not_genuine(header: str | None) -> None:
    assert not genuine(b"name=a&object_id=1&account_id=x", header, "verifier")


def test_without_a_verifier_nothing_is_genuine() -> None:
    raw = b"name=a"
    mac = hmac.new(b"", json.dumps({"name": "a"}).encode(), hashlib.sha256).digest()
    assert not genuine(raw, base64.b64encode(mac).decode(), "")


BAD = {
    "json": (b'{"name": "a"}', "application/json", 415),
    "no content type": (b"name=a", "", 415),
    "empty": (b"", FORM, 400),
    "no object": (b"name=invoice.create&account_id=x", FORM, 400),
    "an object that is no id": (b"name=a&object_id=abc&account_id=x", FORM, 400),
    "an object of 30 digits": (b"name=a&account_id=x&object_id=" + b"9" * 30, FORM, 400),
    "a long name": (b"object_id=1&account_id=x&name=" + b"a" * 101, FORM, 400),
    "broken UTF-8": (b"name=\xff&object_id=1&account_id=x", FORM, 400),
    "broken UTF-8, escaped": (b"name=%ff&object_id=1&account_id=x", FORM, 400),
    "10 MB": (b"a" * 10_000_000, FORM, 413),
    "one byte too many": (b"a" * (MAX_BODY + 1), FORM, 413),
    "too many fields": (b"&".join([b"a=1"] * 101), FORM, 413),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_body_is_refused_at_once_with_a_sentence(name: str) -> None:
    raw, content_type, status = BAD[name]
    began = time.process_time()
    with pytest.raises(BadHook) as caught:
        parse(raw, content_type)
    assert caught.value.status == status
    assert caught.value.sentence.endswith(".")
    assert not genuine(raw, "x", "verifier")
    assert time.process_time() - began < 0.5


def test_what_the_emulated_freshbooks_posts_is_genuine(
    client: FreshbooksClient, business: Any, sandbox: Sandbox
) -> None:
    made = client.register_callback("client.create", "http://127.0.0.1:9/hooks/freshbooks/k")
    verifier = business.callbacks[made.id]["verifier"]
    client.verify_callback(made.id, verifier)
    buyer = business.add_client(email="a@b.test", organization="Čekas & Co")
    handshake, hook = sandbox.deliveries.history
    for delivery in (handshake, hook):
        assert genuine(delivery.body, delivery.headers[SIGNATURE_HEADER], verifier)
    assert parse(handshake.body, FORM).verifier == verifier
    assert parse(hook.body, FORM) == FreshbooksHook("client.create", buyer["id"], "aBc12D")
