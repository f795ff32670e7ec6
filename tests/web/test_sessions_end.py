"""A session ends with the connection that let the person in."""

import pytest

from server.flows import connect_freshbooks
from server.web import sessions
from server.web.auth import Role
from tests.rig import Rig
from tests.stories.shop import Shop
from tests.web.letting_in import LetIn, let_in


@pytest.fixture
def shop(rig: Rig) -> Shop:
    return Shop(rig)


def test_a_session_ends_with_the_business_that_let_the_person_in(shop: Shop) -> None:
    rig = shop.rig
    ona = let_in(rig, where="app")
    assert ona.get("/app/").status_code == 200
    bob = rig.sandbox.freshbooks.add_identity("bob@example.test", "Bob")
    rig.sandbox.freshbooks.add_business(bob, "Bob's Bikes")
    ticket = rig.consent("freshbooks", rig.account_id, identity_id=str(bob.id))
    connect_freshbooks.complete(rig.world, ticket, change=True)
    assert ona.get("/app/").location == "/app/sign-in"


def test_a_session_in_the_frame_ends_where_kommo_was_switched_off(shop: Shop) -> None:
    rig = shop.rig
    session = sessions.begin(
        rig.world, rig.account_id, Role.ADMIN, where="kommo", who="1", name="Ann", language="en"
    )
    admin = LetIn(rig, session)
    rig.kommo.disable_integration(next(iter(rig.sandbox.kommo.grants.integrations)))
    rig.pump()
    assert rig.connection("kommo").state == "disconnected"
    assert admin.get("/app/").status_code == 401
    assert admin.post("/embed/renew").status_code == 401
