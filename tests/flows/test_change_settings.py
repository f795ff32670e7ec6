"""Settings are saved as versions; whoever was overtaken overwrites nothing."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from server.core.keys import AccountId
from server.core.settings import InvalidSettings
from server.flows.change_settings import Overtaken, newest, save_if
from server.store import accounts, settings
from tests.rig import Rig


@pytest.fixture
def rig(tmp_path: Path, database_url: str) -> Iterator[Rig]:
    """Its account has no settings yet."""
    with Rig(tmp_path, database_url=database_url) as rig:
        with rig.database.write() as session:
            rig.account_id = AccountId(accounts.add(session, "acme", rig.clock.now()).id)
        yield rig


def document(*slugs: str, **mapping: Any) -> dict[str, Any]:
    when = [{"pipeline_id": 1, "stage_id": 2}]
    rules = [{"slug": slug, "name": slug.title(), "when": when} for slug in slugs]
    return {"rules": rules, "mapping": mapping}


def save(rig: Rig, author: str, based_on: int, *slugs: str) -> None:
    save_if(rig.world, rig.account_id, document(*slugs), author, based_on=based_on)


def test_a_version_is_saved_on_the_one_it_was_made_from(rig: Rig) -> None:
    assert newest(rig.world, rig.account_id)[1] == 0
    save(rig, "Ann", 0, "won")
    save(rig, "Bob", 1, "won", "paid")
    found, number = newest(rig.world, rig.account_id)
    assert ([rule.slug for rule in found.rules], number) == (["won", "paid"], 2)


def test_who_was_overtaken_overwrites_nothing_and_is_told_by_whom(rig: Rig) -> None:
    save(rig, "Ann", 0, "won")
    save(rig, "Bob", 1, "paid")
    with pytest.raises(Overtaken) as caught:
        save(rig, "Ann", 1, "won", "mine")
    overtaken = caught.value
    assert [rule.slug for rule in overtaken.based_on.rules] == ["won"]
    told = [(one.number, one.author, one.document.rules[0].slug) for one in overtaken.since]
    assert told == [(2, "Bob", "paid")]
    assert newest(rig.world, rig.account_id)[1] == 2


def test_who_started_from_nothing_is_overtaken_by_the_first_version(rig: Rig) -> None:
    save(rig, "Bob", 0, "paid")
    with pytest.raises(Overtaken) as caught:
        save(rig, "Ann", 0, "won")
    assert caught.value.based_on.rules == ()
    assert [one.author for one in caught.value.since] == ["Bob"]


@pytest.mark.parametrize("number", [-1, 2, 10**9])
def test_a_version_that_never_was_is_no_base(rig: Rig, number: int) -> None:
    save(rig, "Ann", 0, "won")
    with pytest.raises(Overtaken):
        save(rig, "Ann", number, "paid")


def test_a_mistake_is_said_before_a_race(rig: Rig) -> None:
    save(rig, "Bob", 0, "paid")
    with pytest.raises(InvalidSettings):
        save(rig, "Ann", 0, "not a slug")


def test_of_several_at_one_instant_one_is_saved(rig: Rig) -> None:
    gate = threading.Barrier(4)

    def one(place: int) -> str:
        gate.wait(10)
        try:
            save(rig, f"author {place}", 0, f"rule-{place}")
        except Overtaken as overtaken:
            return overtaken.since[0].author
        return ""

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(one, range(4)))
    found, number = newest(rig.world, rig.account_id)
    winner = f"author {found.rules[0].slug.removeprefix('rule-')}"
    assert (number, sorted(told)) == (1, ["", winner, winner, winner])


def test_a_rule_that_is_gone_is_off(rig: Rig) -> None:
    save(rig, "Ann", 0, "won")
    with rig.database.write() as session:
        settings.switch_on(session, rig.account_id, "won", rig.clock.now(), "Ann")
    save(rig, "Ann", 1, "paid")
    on = rig.in_database(lambda session: settings.switched_on(session, rig.account_id))
    assert on == {}
