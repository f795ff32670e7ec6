"""The ``billhook`` command, on a connected account."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from server.cli import main
from server.core.settings import json_schema
from server.store.jobs import JobKind
from tests.rig import Rig

COMMANDS = (
    "accounts",
    "connect",
    "doctor",
    "migrate",
    "replay",
    "rules",
    "sandbox",
    "serve",
    "settings",
)
RULE = {
    "rules": [{"slug": "won", "name": "Won", "when": [{"pipeline_id": 1, "stage_id": 142}]}],
    "mapping": {},
}


def billhook(rig: Rig, *words: str, text: str | None = None) -> Result:
    env = {name: "" for name in ("BILLHOOK_REQUIRE", "BILLHOOK_CASES")} | rig.environ()
    return CliRunner().invoke(main, list(words), input=text, env=env)


def said(rig: Rig, *words: str, text: str | None = None) -> str:
    result = billhook(rig, *words, text=text)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def refused(rig: Rig, *words: str, text: str | None = None) -> str:
    result = billhook(rig, *words, text=text)
    assert result.exit_code == 1, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stderr + result.stdout


@pytest.fixture
def ruled(rig: Rig) -> Rig:
    rig.settings(RULE)
    rig.pump()
    return rig


def test_the_commands_have_the_names_that_are_relied_on() -> None:
    assert set(COMMANDS) <= set(main.commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 3


def test_a_wrong_setting_is_said_without_a_traceback() -> None:
    result = CliRunner().invoke(main, ["accounts"], env={"BILLHOOK_QUIET_PERIODS": "1"})
    assert result.exit_code == 1
    assert "did you mean BILLHOOK_QUIET_PERIOD?" in result.stderr


def test_an_empty_database_is_named_and_brought_to_head(tmp_path: Path) -> None:
    env = {"BILLHOOK_DATABASE_URL": f"sqlite:///{tmp_path}/new/billhook.db"}
    before = CliRunner().invoke(main, ["accounts"], env=env)
    assert (before.exit_code, "Run: billhook migrate" in before.stderr) == (1, True)
    assert "Now at" in CliRunner().invoke(main, ["migrate"], env=env).stdout
    assert "up to date" in CliRunner().invoke(main, ["migrate"], env=env).stdout
    after = CliRunner().invoke(main, ["accounts"], env=env)
    assert "billhook connect kommo" in after.stdout


def test_a_relative_database_stands_where_the_command_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"BILLHOOK_DATABASE_URL": "sqlite:///here/billhook.db"}
    assert CliRunner().invoke(main, ["migrate"], env=env).exit_code == 0
    assert (tmp_path / "here" / "billhook.db").is_file()
    assert (tmp_path / "here" / "secret.keys").is_file()


def test_a_database_that_does_not_answer_is_a_sentence() -> None:
    env = {
        "BILLHOOK_DATABASE_URL": "postgresql://u:p-a-s-s@127.0.0.1:1/x",
        "BILLHOOK_SECRET_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    result = CliRunner().invoke(main, ["accounts"], env=env)
    assert (result.exit_code, "does not answer" in result.stderr) == (1, True)
    assert "p-a-s-s" not in result.output


def test_a_database_where_no_folder_can_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    env = {"BILLHOOK_DATABASE_URL": f"sqlite:///{tmp_path}/file/billhook.db"}
    result = CliRunner().invoke(main, ["migrate"], env=env)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert f"{tmp_path}/file" in result.stderr


def test_accounts_shows_both_sides_and_no_secret(rig: Rig) -> None:
    shown = said(rig, "accounts")
    assert shown.splitlines() == [
        "demo",
        f"  Kommo       Demo ({rig.kommo.host}): connected",
        f"  FreshBooks  Ona's Studio (business {rig.books.business_id}): connected",
    ]
    assert "/hooks/" not in shown


def test_accounts_shows_the_secret_urls_when_asked(rig: Rig) -> None:
    shown = said(rig, "accounts", "--hooks")
    for kind in ("kommo", "kommo-dp"):
        assert rig.hook_url(kind) in shown


def test_settings_go_out_and_in_unchanged(ruled: Rig, tmp_path: Path) -> None:
    out = said(ruled, "settings", "export", "demo")
    assert json.loads(out)["rules"][0]["slug"] == "won"
    file = tmp_path / "settings.json"
    said(ruled, "settings", "export", "demo", str(file))
    assert file.read_text("utf-8") == out
    assert "Rules: won" in said(ruled, "settings", "import", "demo", str(file))
    assert said(ruled, "settings", "export", "demo") == out


def test_settings_that_are_wrong_are_refused_with_their_place(ruled: Rig) -> None:
    before = said(ruled, "settings", "export", "demo")
    wrong: dict[str, Any] = {"rules": [{**RULE["rules"][0], "action": "print"}], "mapping": {}}
    told = refused(ruled, "settings", "import", "demo", text=json.dumps(wrong))
    assert "rules.0.action" in told
    assert "Nothing was saved" in told
    assert "not JSON" in refused(ruled, "settings", "import", "demo", text="{")
    assert said(ruled, "settings", "export", "demo") == before


def test_the_schema_is_the_document_s(rig: Rig) -> None:
    assert json.loads(said(rig, "settings", "schema")) == json_schema()


def test_stages_and_fields_are_named_as_a_rule_needs_them(rig: Rig) -> None:
    field = rig.kommo.add_field("leads", "text", "Order number")
    rig.kommo.add_field("leads", "text", "PO", "PO_NUMBER")
    told = said(rig, "settings", "names")
    pipeline = rig.kommo.main_pipeline
    assert f'{pipeline.name}: "pipeline_id": {pipeline.id}\n' in told
    for stage in pipeline.stages:
        assert f'  {stage.name}: "stage_id": {stage.id}\n' in told
    assert f'  Order number: {{"field": "deal.cf.{field.id}"}}\n' in told
    assert '  PO: {"field": "deal.code.PO_NUMBER"}\n' in told


def test_rules_are_switched_on_and_off(ruled: Rig) -> None:
    assert said(ruled, "rules", "list") == "won  Won: off\n"
    assert said(ruled, "rules", "on", "demo", "won") == "won is on.\n"
    assert said(ruled, "rules", "on", "demo", "won") == "won was on already.\n"
    assert "on since 2026-03-02" in said(ruled, "rules", "list", "demo")
    assert said(ruled, "rules", "off", "demo", "won") == "won is off.\n"
    for verb in ("on", "off"):
        assert "no rule “lost” (won)" in refused(ruled, "rules", verb, "demo", "lost")


def test_an_account_is_named_only_where_there_are_several(rig: Rig) -> None:
    assert "There are: demo" in refused(rig, "rules", "list", "nobody")
    rig.sandbox.kommo.add_account("second")
    rig.connect_kommo(account="second")
    assert "Say which account: demo, second" in refused(rig, "rules", "list")


def test_replay_shows_first_and_then_looks_again(ruled: Rig) -> None:
    deal = ruled.kommo.add_deal("Sofa", 100)
    ruled.kommo.move_deal(deal.id, 142)
    ruled.settings(RULE | {"rules": []})
    ruled.pump()
    dry = said(ruled, "replay", "--dry-run", "--since", "2026-03-01")
    assert f"deal:{deal.id}" in dry
    assert "would be looked at again" in dry
    assert said(ruled, "replay", "--until", "2026-03-01") == "0 will be looked at again.\n"
    assert "write it like" in billhook(ruled, "replay", "--since", "yesterday").stderr


def test_the_doctor_finds_nothing_where_all_is_well(rig: Rig) -> None:
    shown = said(rig, "doctor")
    assert "wrong" not in shown
    assert "ok     demo: webhook at Kommo" in shown


def test_the_doctor_says_what_to_do_about_a_disabled_webhook(rig: Rig) -> None:
    for hook in rig.kommo.hooks.values():
        hook.disabled = True
    assert "wrong  demo: webhook at Kommo: disabled by Kommo" in refused(rig, "doctor")


def test_the_doctor_says_which_connection_must_be_made_again(rig: Rig) -> None:
    rig.kommo.disable_integration(rig.world.kommo.app.client_id)
    rig.pump()
    assert "run billhook connect kommo demo" in refused(rig, "doctor")
    assert "disconnected" in said(rig, "accounts")


def test_the_doctor_notices_keys_that_do_not_open_the_database(rig: Rig) -> None:
    env = rig.environ() | {"BILLHOOK_SECRET_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}
    result = CliRunner().invoke(main, ["doctor"], env=env)
    assert result.exit_code == 1
    assert "demo: keys: BILLHOOK_SECRET_KEYS" in result.stdout


def test_the_doctor_says_what_is_not_set_and_who_does_not_answer(rig: Rig) -> None:
    env = rig.environ()
    del env["BILLHOOK_KOMMO_CLIENT_SECRET"]
    env["BILLHOOK_FRESHBOOKS_API_URL"] = "http://127.0.0.1:1"
    result = CliRunner().invoke(main, ["doctor"], env=env)
    assert result.exit_code == 1
    assert "set BILLHOOK_KOMMO_CLIENT_SECRET" in result.stdout
    assert "freshbooks at http://127.0.0.1:1: FreshBooks could not be reached" in result.stdout


def test_the_doctor_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    env = {"BILLHOOK_DATABASE_URL": f"sqlite:///{tmp_path}/wrong/billhook.db"}
    result = CliRunner().invoke(main, ["doctor"], env=env)
    assert result.exit_code == 1
    assert f"database: none at {tmp_path}/wrong/billhook.db; run billhook serve" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_saved_document_is_told_to_the_jobs(ruled: Rig) -> None:
    said(ruled, "settings", "import", "demo", text=json.dumps(RULE))
    assert [job.state for job in ruled.jobs(JobKind.ENSURE)][-1] == "waiting"
