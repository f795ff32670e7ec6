"""The states of jobs, documents and attempts, as the database and the pages spell them."""

from enum import IntEnum, StrEnum


class JobState(StrEnum):
    WAITING = "waiting"  # due, or due later for the first time
    RUNNING = "running"  # leased by one runner
    RETRYING = "retrying"  # a try failed; due_at says when the next comes
    PARKED = "parked"  # waits for a person or for a vendor to come back; cause says for what
    DONE = "done"
    LEFT_OUT = "left_out"  # decided against, with the reason; can be replayed


OPEN_JOB_STATES = (JobState.WAITING, JobState.RETRYING, JobState.PARKED)


IGNORED = "ignored"  # the cause of a job that a person left out; said tells who


class Group(StrEnum):
    """Where a person looks for a deal. One deal stands in one group, by its newest state: the first
    of these that is true of it."""

    ATTENTION = "needs_attention"  # a job is parked; or its invoice is a mismatch, or ambiguous,
    # and nobody said to ignore that
    UNDER_WAY = "under_way"  # a job waits, runs or retries
    IN_ORDER = "in_order"  # its invoice is made and sent as the rule wants
    LEFT_OUT = "left_out"  # decided against, ignored, or its invoice was found deleted


class JobClass(IntEnum):
    """Order of claiming over subjects: the lower goes first."""

    CLICK = 0
    HOOK = 1
    WRITE_BACK = 2
    SWEEP = 3
    BACKFILL = 4


class DocumentState(StrEnum):
    CLAIMED = "claimed"  # the key is ours; nothing is known upstream yet
    UNCERTAIN = "uncertain"  # a call may have made it; looked up before anything is sent again
    CREATED = "created"  # it exists upstream and is ours
    MISMATCH = "mismatch"  # it exists, but its total differs from the draft's: a person decides
    SENT = "sent"  # marked as sent, or mailed
    REFUSED = "refused"  # the vendor refused it for good; thawed, may be claimed again
    AMBIGUOUS = "ambiguous"  # two upstream objects carry our reference: a person decides
    DELETED = "deleted"  # found upstream as deleted
    CLOSED = "closed"  # a task that was completed


class AttemptOutcome(StrEnum):
    OPEN = "open"  # claimed; the call has not begun, or died with us (then it is uncertain)
    UNCERTAIN = "uncertain"
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    CREATED = "created"
    ADOPTED = "adopted"  # found upstream by its reference
