"""Which ports the emulated world listens on; 0 takes a free one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ports:
    """``kommo_accounts`` are taken in turn by accounts and by their renames, then free ones."""

    control: int = 0
    kommo: int = 0
    kommo_accounts: tuple[int, ...] = ()
    freshbooks: int = 0
    freshbooks_auth: int = 0
    freshbooks_app: int = 0
