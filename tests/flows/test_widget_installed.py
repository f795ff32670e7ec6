"""Installing the widget in Kommo connects the account, without anybody coming here."""

from server.sandbox import Fault
from server.store import accounts, jobs, settings
from tests.rig import Rig


def test_installing_the_widget_connects_the_account_that_its_token_names(bare_rig: Rig) -> None:
    rig = bare_rig
    rig.kommo.install_widget(rig.world.kommo.app.client_id)
    rig.pump()
    (account,) = rig.in_database(accounts.everyone)
    rig.account_id = account.id
    assert rig.connection("kommo").external_id == str(rig.kommo.account_id)
    assert rig.in_database(lambda s: settings.switched_on(s, account.id)) == {}
    assert [hook.destination for hook in rig.kommo.hooks.values()] == [rig.hook_url()]


def test_a_widget_s_code_is_exchanged_while_kommo_is_slow_to_come_back(bare_rig: Rig) -> None:
    rig = bare_rig
    rig.sandbox.faults.add(Fault("error_before", match="POST *token*", vendor="kommo"))
    rig.kommo.install_widget(rig.world.kommo.app.client_id)
    rig.pump()
    assert rig.in_database(accounts.everyone) == []
    rig.later(minutes=1)
    assert [row.name for row in rig.in_database(accounts.everyone)] == ["demo"]


def test_a_widget_s_tokens_are_kept_when_kommo_falls_silent_after_giving_them(
    bare_rig: Rig,
) -> None:
    rig = bare_rig
    rig.sandbox.faults.add(Fault("error_before", match="GET /api/v4/account", times=3))
    rig.kommo.install_widget(rig.world.kommo.app.client_id)
    rig.pump()
    for minutes in (1, 5, 30):
        assert rig.in_database(accounts.everyone) == []
        rig.later(minutes=minutes)
    assert [row.name for row in rig.in_database(accounts.everyone)] == ["demo"]


def test_a_made_up_widget_code_connects_nothing(bare_rig: Rig) -> None:
    rig = bare_rig
    query = f"from_widget=1&code=made-up&referer={rig.kommo.host}"
    rig.sandbox.deliveries.queue("kommo", f"{rig.url}/oauth/kommo/callback?{query}")
    rig.pump()
    assert rig.in_database(accounts.everyone) == []
    (job,) = rig.in_database(lambda s: list(s.query(jobs.JobRow)))
    assert (job.kind, job.state) == ("welcome", "left_out")
