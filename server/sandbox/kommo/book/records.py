"""What a Kommo account holds, as plain rows; ids are Kommo's, times unix seconds."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

WON = 142
LOST = 143

#: One stored value of a custom field, in the shape that the API reads it: {"value", "enum_id", ...}
Value = dict[str, Any]


@dataclass(frozen=True)
class Actor:
    """Who does it: a user in Kommo's pages, or an integration (``client_id``) through the API."""

    user_id: int
    client_id: str = ""
    as_robot: bool = False

    @property
    def by_api(self) -> bool:
        return bool(self.client_id)

    @property
    def stamp(self) -> int:
        """What ends up in updated_by and modified_user_id; 0 is the robot."""
        return 0 if self.as_robot else self.user_id


@dataclass
class Tag:
    id: int
    name: str
    color: str | None = None


@dataclass
class Record:
    id: int
    name: str
    created_by: int
    updated_by: int
    created_at: int
    updated_at: int
    is_deleted: bool = False
    fields: dict[int, list[Value]] = field(default_factory=dict)


@dataclass
class Card(Record):
    responsible_user_id: int = 0
    group_id: int = 0
    tags: list[Tag] = field(default_factory=list)


@dataclass
class ProductLink:
    """Quantity lives on the link; a price does not (§4.4). ``price_id``: a price field, or None."""

    element_id: int
    catalog_id: int
    quantity: Decimal = Decimal(1)
    price_id: int | None = None


@dataclass
class Deal(Card):
    """``price`` keeps the minor units that the API's own ``price`` cuts off; None: never set."""

    price: Decimal | None = None
    pipeline_id: int = 0
    status_id: int = 0
    closed_at: int | None = None
    loss_reason_id: int | None = None
    source_id: int | None = None
    contacts: list[int] = field(default_factory=list)
    main_contact_id: int | None = None
    company_id: int | None = None
    products: list[ProductLink] = field(default_factory=list)
    price_by_robot: bool = False
    #: Tests only: a ``price`` that contradicts the exact one, as no doc rules out.
    shown_price: int | None = None

    @property
    def stage_id(self) -> int:
        return self.status_id


@dataclass
class Contact(Card):
    first_name: str = ""
    last_name: str = ""
    company_id: int | None = None


@dataclass
class Company(Card):
    pass


@dataclass
class Catalog:
    id: int
    name: str
    type: str
    created_by: int
    created_at: int
    updated_at: int
    sort: int
    can_add_elements: bool = True
    can_link_multiple: bool = True


@dataclass
class Element(Record):
    catalog_id: int = 0


@dataclass
class Choice:
    """An enum of a select-like field."""

    id: int
    value: str
    sort: int
    code: str | None = None


@dataclass
class Field:
    """A custom field's definition; ``entity`` is leads, contacts, companies or catalogs."""

    id: int
    name: str
    code: str | None
    type: str
    sort: int
    entity: str
    catalog_id: int | None = None
    enums: list[Choice] | None = None
    nested: list[dict[str, Any]] | None = None
    group_id: str | None = None
    currency: str | None = None
    is_api_only: bool = False
    is_predefined: bool = False
    is_deletable: bool = True
    is_visible: bool = True
    is_required: bool = False
    required_statuses: list[dict[str, int]] = field(default_factory=list)


@dataclass
class Stage:
    id: int
    name: str
    sort: int
    pipeline_id: int
    color: str
    type: int = 0
    is_editable: bool = True


@dataclass
class Pipeline:
    id: int
    name: str
    sort: int
    is_main: bool
    stages: list[Stage] = field(default_factory=list)
    is_unsorted_on: bool = True
    is_archive: bool = False

    def stage(self, named: str | int) -> Stage:
        """By name or id. Raises KeyError."""
        for stage in self.stages:
            if named in (stage.id, stage.name):
                return stage
        raise KeyError(named)

    @property
    def first_stage(self) -> Stage:
        return next(stage for stage in self.stages if stage.type == 0)


@dataclass
class User:
    """``rights`` per entity as Kommo letters: A all, G group, M own, D denied."""

    id: int
    name: str
    email: str
    is_admin: bool = False
    is_free: bool = False
    is_active: bool = True
    lang: str = "en"
    group_id: int | None = None
    rights: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Task:
    id: int
    text: str
    complete_till: int
    created_by: int
    updated_by: int
    created_at: int
    updated_at: int
    responsible_user_id: int
    entity_id: int | None = None
    entity_type: str | None = None
    task_type_id: int = 1
    duration: int = 0
    is_completed: bool = False
    result: str | None = None


@dataclass
class Note:
    id: int
    entity_id: int
    entity_type: str
    note_type: str
    params: dict[str, Any]
    created_by: int
    updated_by: int
    created_at: int
    updated_at: int
    responsible_user_id: int


@dataclass
class Event:
    id: str
    type: str
    entity_id: int
    entity_type: str
    created_by: int
    created_at: int
    value_after: list[dict[str, Any]]
    value_before: list[dict[str, Any]]
    at: float = 0.0


@dataclass
class Hook:
    """A webhook subscription, one a destination."""

    id: int
    destination: str
    settings: list[str]
    created_at: int
    updated_at: int
    created_by: int
    sort: int
    client_id: str = ""
    disabled: bool = False
    failures: list[float] = field(default_factory=list)


@dataclass
class StageHook:
    """The Digital Pipeline action "API: Send webhook" of one stage, or a widget's trigger."""

    pipeline_id: int
    stage_id: int
    url: str
    widget_settings: dict[str, str] | None = None
    suspended_until: float = 0.0
    failures: list[float] = field(default_factory=list)
