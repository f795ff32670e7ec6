"""How accounts are connected: the whole dance of redirects, by real HTTP."""

from tests.rig import Rig


def test_both_vendors_are_connected_by_their_consent_pages(bare_rig: Rig) -> None:
    rig = bare_rig.connect()
    kommo, books = rig.connection("kommo"), rig.connection("freshbooks")
    assert (kommo.external_id, kommo.realm) == (str(rig.kommo.account_id), rig.kommo.host)
    assert (kommo.currency, kommo.timezone) == ("EUR", "Europe/Vilnius")
    assert (books.external_id, books.realm) == (str(rig.books.business_id), rig.books.account_id)
    assert kommo.account_id == books.account_id
    assert [hook.destination for hook in rig.kommo.hooks.values()] == [rig.hook_url()]
    assert rig.sandbox.kommo.unknown_calls == rig.sandbox.freshbooks.unknown_calls == []
