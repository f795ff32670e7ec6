"""A page's look waits for seconds; the look goes on, is shared, and keeps nobody else waiting."""

import threading
from collections.abc import Callable
from time import monotonic

import pytest

from server.core.errors import CannotBill, Problem, Reconnect, TryLater
from server.flows import glance
from server.flows.glance import Deadline, Glance, in_words, look
from tests.rig import Rig


class Door:
    """Work that waits until it is let in."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.made = 0

    def __call__(self, _glance: Glance) -> str:
        self.made += 1
        assert self.opened.wait(30)
        return "seen"


@pytest.fixture
def door() -> Door:
    return Door()


def ask(rig: Rig, work: Callable[[Glance], str], seconds: float, what: str = "kommo:x") -> str:
    return look(rig.world, 1, what, work, within=Deadline(seconds))


def test_an_answer_in_time_is_given(bare_rig: Rig) -> None:
    assert ask(bare_rig, lambda _: "seen", 5) == "seen"
    assert glance.settle()


def test_a_late_one_is_told_and_goes_on_for_the_next_who_asks(bare_rig: Rig, door: Door) -> None:
    with pytest.raises(TryLater) as late:
        ask(bare_rig, door, 0.05)
    assert (late.value.cause, late.value.sentence) == (
        "kommo:slow",
        "Kommo does not answer in time.",
    )
    threading.Timer(0.1, door.opened.set).start()
    assert ask(bare_rig, door, 10) == "seen"
    assert door.made == 1
    assert glance.settle()
    assert ask(bare_rig, door, 10) == "seen"
    assert door.made == 2


def test_what_it_raises_reaches_who_asked(bare_rig: Rig) -> None:
    def gone(_glance: Glance) -> str:
        raise Reconnect("kommo")

    def broken(_glance: Glance) -> str:
        raise KeyError("a bug")

    with pytest.raises(Reconnect):
        ask(bare_rig, gone, 5)
    with pytest.raises(KeyError):
        ask(bare_rig, broken, 5)


def test_another_account_does_not_get_this_ones_answer(bare_rig: Rig, door: Door) -> None:
    with pytest.raises(TryLater):
        ask(bare_rig, door, 0.05)
    other = look(bare_rig.world, 2, "kommo:x", lambda _: "another's", within=Deadline(5))
    assert other == "another's"
    door.opened.set()
    assert glance.settle()


def test_a_hanging_vendor_keeps_few_pages_waiting_beyond_the_first_second(
    bare_rig: Rig, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glance, "IMPATIENT", 0.05)
    waited: list[int] = []

    def page(account_id: int) -> None:
        began = monotonic()
        with pytest.raises(TryLater):
            look(bare_rig.world, account_id, "kommo:x", door, within=Deadline(1.5))
        if monotonic() - began >= 1.4:
            waited.append(account_id)

    pages = [threading.Thread(target=page, args=(of,)) for of in (1, 1, 1, 1, 2, 2, 2, 2)]
    for one in pages:
        one.start()
    for one in pages:
        one.join(30)
    assert sorted(waited) in ([1, 1, 2], [1, 2, 2])  # three, and of one account two
    door.opened.set()
    assert glance.settle()


def test_looks_without_end_are_refused(
    bare_rig: Rig, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glance, "OF_ONE", 2)
    monkeypatch.setattr(glance, "AT_ONCE", 3)
    for number in range(2):
        with pytest.raises(TryLater):
            ask(bare_rig, door, 0.01, f"kommo:{number}")
    with pytest.raises(TryLater, match="Too many pages"):
        ask(bare_rig, door, 5, "kommo:third")
    with pytest.raises(TryLater, match="not answer in time"):  # another account is not kept out
        look(bare_rig.world, 2, "kommo:0", door, within=Deadline(0.01))
    with pytest.raises(TryLater, match="Too many pages"):
        look(bare_rig.world, 3, "kommo:0", door, within=Deadline(5))
    door.opened.set()
    assert glance.settle()
    assert ask(bare_rig, door, 5, "kommo:third") == "seen"


def test_outcomes_become_sentences() -> None:
    assert in_words(TryLater("kommo:down", "Kommo answered 503.")) == "Kommo answered 503."
    assert in_words(Reconnect("freshbooks")) == (
        "Billhook has no access to FreshBooks now. Connect FreshBooks again."
    )
    said = in_words(Reconnect("kommo", "Kommo no longer accepts our access."))
    assert said == "Kommo no longer accepts our access. Connect Kommo again."
    assert in_words(CannotBill([Problem("x", "It is bad.", "Mend it.")])) == "It is bad. Mend it."
