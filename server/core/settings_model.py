"""The shape of an account's settings: its rules and its mapping, as one JSON document.

Everything here is frozen, refuses keys that it does not know, and speaks JSON by the names that
the document uses ("from", "is", "or" are words of Python, so they have other names in code).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from server.core import field_keys, template
from server.core.said import say


def _printable(text: str) -> str:
    if any(letter < " " and letter not in "\n\r\t" for letter in text):
        raise ValueError(say("must not contain control characters"))
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError(say("must be readable text"))
    return text


def _field_key(key: str) -> str:
    if wrong := field_keys.what_is_wrong(key):
        raise ValueError(wrong)
    return key


def _once(ids: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(ids))


def _no_float(value: Any) -> Any:
    """What a condition compares with, as text: 5 and "5" are one, and 0.1 is no binary fraction."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return tuple(_no_float(item) for item in value)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise ValueError(say("must be text, a number, true or false, or a list of these"))


Text = Annotated[str, AfterValidator(_printable)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_printable)
]
FieldKey = Annotated[str, AfterValidator(_field_key)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=60)]
FieldCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+$", max_length=255)]
CatalogId = Annotated[int, Field(ge=1)]
Test = Literal["equals", "not", "in", "greater", "less", "filled", "empty"]
Percent = Annotated[Decimal, Field(ge=0, le=100)]
Operand = Annotated[
    Any,
    BeforeValidator(_no_float),
    WithJsonSchema({"type": ["string", "number", "boolean", "array", "null"]}),
]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Source(Part):
    """Where a value comes from: a field, or text with fields in it; ``or`` when it is empty."""

    field: FieldKey | None = None
    text: Text | None = None
    fallback: "Source | None" = Field(default=None, alias="or")

    @model_validator(mode="after")
    def _one_of_two(self) -> "Source":
        if (self.field is None) == (self.text is None):
            raise ValueError(say('needs either "field" or "text", one of them'))
        return self

    @model_serializer(mode="wrap")
    def _short(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        filled: dict[str, Any] = handler(self)
        return {key: value for key, value in filled.items() if value is not None}

    def keys(self) -> Iterator[str]:
        """Every field that may be read for it."""
        if self.field is not None:
            yield self.field
        if self.text is not None:
            yield from template.fields_in(self.text)
        if self.fallback is not None:
            yield from self.fallback.keys()


def source(*keys: str) -> Source:
    """The first of these fields that is filled."""
    first, *others = keys
    return Source.model_validate({"field": first, "or": source(*others) if others else None})


class Trigger(Part):
    """A stage is unique only together with its pipeline."""

    pipeline_id: Annotated[int, Field(ge=1)]
    stage_id: Annotated[int, Field(ge=1)]


class Condition(Part):
    """What a field of the deal, its contact or its company has to be.

    "equals" and "not" (empty, or none of its values is it), "in" (one of a list), "greater" and
    "less" (of numbers, or of days like 2026-12-31), "filled" and "empty" (without a value).
    """

    field: FieldKey
    test: Test = Field(alias="is")
    value: Operand = None


class Rule(Part):
    """When a deal is billed and what is done with the invoice. The slug never changes.

    A deal is billed once over all rules, and once more in each ``series`` that a rule names; it
    never changes once the rule has billed. ``again``: each time that the deal enters the stage.
    """

    slug: Slug
    name: Name
    when: Annotated[tuple[Trigger, ...], Field(min_length=1)]
    match: Literal["all", "any"] = "all"
    conditions: tuple[Condition, ...] = ()
    still_in_stage: bool = False
    action: Literal["draft", "mark_sent", "email"] = "draft"
    series: Slug | None = None
    again: bool = False

    @property
    def purpose(self) -> str:
        """What its invoices are for, in the ledger's keys."""
        return f"invoice:{self.series}" if self.series else "invoice"


class TaxRate(Part):
    name: Name
    percent: Percent


class Taxes(Part):
    """``table`` says what a value of ``field`` means; ``fixed`` holds where the field is empty."""

    fixed: tuple[TaxRate, ...] = ()
    field: FieldKey | None = None
    table: dict[Text, tuple[TaxRate, ...]] = {}


class Discount(Part):
    kind: Literal["percent", "amount"]
    value: Source
    description: Source | None = None


class Lines(Part):
    """``catalogs``: the Kommo lists whose elements on a deal are sold; none: the products' own.
    ``price``: a product's field; without it the price that is chosen on the deal. ``sku`` stands in
    front of the description. ``extra_decimals``: what to do with a line that does not come out in
    whole cents."""

    origin: Literal["products", "amount", "products_or_amount"] = Field(
        default="products_or_amount", alias="from"
    )
    catalogs: Annotated[tuple[CatalogId, ...], AfterValidator(_once)] = ()
    name: Source = source("product.name", "deal.name")
    sku: Source | None = None
    description: Source | None = None
    price: Source | None = None
    when_amount_differs: Literal["refuse", "ignore", "adjust"] = "refuse"
    extra_decimals: Literal["refuse", "round"] = "refuse"


class Client(Part):
    """Whom to bill. ``match_by``: by what a client is recognised as one that is there already."""

    match_by: Literal["email", "vat", "company", "contact"] = "email"
    email: Source | None = source("contact.code.EMAIL", "company.code.EMAIL")
    organization: Source | None = source("company.name")
    first_name: Source | None = source("contact.first_name", "contact.name")
    last_name: Source | None = source("contact.last_name")
    phone: Source | None = source("contact.code.PHONE", "company.code.PHONE")
    street: Source | None = source("company.code.ADDRESS.address_line_1", "company.code.ADDRESS")
    street2: Source | None = source("company.code.ADDRESS.address_line_2")
    city: Source | None = source("company.code.ADDRESS.city")
    province: Source | None = source("company.code.ADDRESS.state")
    postal_code: Source | None = source("company.code.ADDRESS.zip")
    country: Source | None = source("company.code.ADDRESS.country")
    vat_name: Source | None = None
    vat_number: Source | None = None
    language: Source | None = None


class WriteBack(Part):
    """Codes of the deal's fields that show the invoice; null: this one is not written."""

    link: FieldCode | None = "BILLHOOK_LINK"
    number: FieldCode | None = "BILLHOOK_NUMBER"
    amount: FieldCode | None = "BILLHOOK_AMOUNT"
    status: FieldCode | None = "BILLHOOK_STATUS"


class Numbering(Part):
    """Who numbers invoices: the vendor, our reference, or a sequence of the account's own."""

    kind: Literal["freshbooks", "reference", "sequence"] = "freshbooks"
    prefix: Text = ""
    next: Annotated[int, Field(ge=1)] = 1
    digits: Annotated[int, Field(ge=1, le=12)] = 6


class Mapping(Part):
    """What of a sale goes where on the invoice; without a currency the sale's own is used."""

    currency: Source | None = None
    language: Source | None = None
    po_number: Source | None = None
    notes: Source | None = None
    terms: Source | None = None
    description: Source | None = None
    discount: Discount | None = None
    due_days: Source | None = None
    lines: Lines = Lines()
    taxes: Taxes = Taxes()
    client: Client = Client()
    write_back: WriteBack = WriteBack()
    numbering: Numbering = Numbering()


class SettingsDocument(Part):
    """Which rules are switched on is not part of it: that has a history of its own."""

    version: Literal[1] = 1
    rules: tuple[Rule, ...]
    mapping: Mapping

    def to_json(self) -> dict[str, Any]:
        """As it is stored and exported; ``settings.validate`` takes it back unchanged."""
        return self.model_dump(mode="json", by_alias=True)
