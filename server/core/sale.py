"""A sale: what a deal or an order is turned into before anybody thinks of invoices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from server.core.errors import Problem
from server.core.known_fields import KnownFields
from server.core.money import Money


@dataclass(frozen=True)
class FieldValue:
    """One value of one field. ``text`` is what a person reads; the rest where the type has it."""

    text: str
    number: Decimal | None = None
    day: date | None = None
    enum_id: int | None = None
    enum_code: str | None = None


Fields = Mapping[str, tuple[FieldValue, ...]]
"""Field key to its values. A key that is absent does not exist at the source; () is empty.

Keys: ``deal.name``, ``deal.price``, ``deal.cf.<id>``, ``deal.code.<CODE>``, and the same under
``contact.``, ``company.`` and (per line) ``product.``; their grammar is core/field_keys.py.
A built-in field, and every field of a contact or company that is not there, may be left out.
"""

_SOURCE_NAMES = {"kommo": "Kommo"}  # as the users know them; a vendor in small letters as it is


@dataclass(frozen=True)
class Party:
    """Who is billed, as the source knows them; ids are the source's own."""

    contact_id: int | None = None
    company_id: int | None = None


@dataclass(frozen=True)
class SaleLine:
    """One product on the sale. ``unit_price`` None: the price field is empty at the source."""

    product_id: int
    name: str
    quantity: Decimal
    unit_price: Decimal | None
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a deal stands. A stage id is unique only together with its pipeline."""

    pipeline_id: int
    stage_id: int


@dataclass(frozen=True)
class Sale:
    """``amount`` is the source's own total (None: not filled); ``problems`` what reading found.

    ``sparse``: the reader could list the filled fields only, so a key that is absent may as well
    be an empty field, and nothing is said of fields that do not exist any more.
    ``known``: the fields that the source has, where somebody has asked for them.
    """

    source: str
    source_id: str
    title: str
    currency: str
    amount: Money | None
    party: Party
    lines: tuple[SaleLine, ...]
    fields: Fields
    place: Place
    responsible_user: int | None = None
    problems: tuple[Problem, ...] = ()
    sparse: bool = False
    known: KnownFields | None = field(default=None, compare=False)

    @property
    def source_name(self) -> str:
        """What users call the place where the sale lives."""
        return _SOURCE_NAMES.get(self.source, self.source)
