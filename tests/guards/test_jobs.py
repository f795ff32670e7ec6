"""Every kind of job has its story, told by the function of its name."""

from server.store.jobs import JobKind
from server.work.table import HANDLERS


def test_every_job_kind_has_a_handler() -> None:
    assert set(HANDLERS) == set(JobKind)


def test_a_handler_bears_the_name_of_its_kind() -> None:
    assert {kind: handler.__name__ for kind, handler in HANDLERS.items()} == {
        kind: kind.value for kind in JobKind
    }
