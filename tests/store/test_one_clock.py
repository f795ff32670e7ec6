"""One engine a database, on both kinds; who dies or lets go makes room."""

from server.store.one_clock import OneClock
from tests.store import rows
from tests.store.databases import migrated, opened


def test_one_of_two_holds_the_clock_until_it_lets_go(database_url: str):
    with migrated(database_url) as one, opened(database_url) as other:
        first, second = OneClock(one.engine), OneClock(other.engine)
        assert first.try_hold()
        assert not second.try_hold()
        first.let_go()
        rows.until(second.try_hold)  # a server notices a closed connection a moment later
        assert not first.try_hold()
        second.let_go()


def test_who_holds_it_already_may_ask_again(database_url: str):
    with migrated(database_url) as database:
        clock = OneClock(database.engine)
        assert clock.try_hold()
        assert clock.try_hold()
        clock.let_go()


def test_letting_go_of_nothing_is_harmless(database_url: str):
    with migrated(database_url) as database:
        OneClock(database.engine).let_go()


def test_a_database_whose_clock_is_held_can_still_be_upgraded(database_url: str):
    with opened(database_url) as serving, opened(database_url) as command:
        clock = OneClock(serving.engine)
        assert clock.try_hold()
        with migrated(database_url):
            pass
        assert not OneClock(command.engine).try_hold()
        clock.let_go()
