"""The demo's world: one Kommo account with a dozen deals, and one FreshBooks business.

Invented people and firms; the data is as uneven as a real account's, on purpose.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from server.sandbox.freshbooks import Business
from server.sandbox.kommo.account import Account
from server.sandbox.kommo.book.records import Deal, Element, Pipeline

if TYPE_CHECKING:
    from server.sandbox import Sandbox

ACCOUNT_ID = 30118201
ISSUE_INVOICE = "Issue invoice"
SALES = ("First contact", "Needs", "Offer sent", "Agreed", ISSUE_INVOICE, "Delivered")
SERVICE = ("Booked", "In repair", "Ready for pick-up")

#: SKU, name, price, wholesale price, unit, VAT
PRODUCTS = (
    ("CH-OAK-01", "Oak dining chair", "149.00", "118.50", "pcs", "Standard"),
    ("TB-OAK-18", "Oak table, 180 cm", "890.00", "742.00", "pcs", "Standard"),
    ("SH-ASH-05", "Ash shelf, five boards", "264.90", "219.00", "pcs", "Standard"),
    ("FB-LIN-NAT", "Linen upholstery, natural (metre)", "38.40", "31.20", "m", "Standard"),
    ("SV-ASSEMBLY", "Assembly on site (hour)", "45.00", None, "h", "Standard"),
    ("SV-DESIGN", "Interior design consulting (hour)", "72.50", None, "h", "Standard"),
    ("DL-EU", "Delivery within the EU", "96.15", None, "pcs", "None"),
    ("BK-CARE", "Book: Caring for wood", "19.90", "14.00", "pcs", "Reduced"),
)


@dataclass(frozen=True)
class Demo:
    """What was made, for whoever walks the story."""

    kommo: Account
    freshbooks: Business
    sales: Pipeline
    service: Pipeline
    deals: dict[str, Deal]


def seed_demo(sandbox: "Sandbox") -> Demo:
    """Fill the started sandbox; run once."""
    account = sandbox.kommo.add_account("demo", ACCOUNT_ID, name="Baltic Oak Studio")
    seeded = _Seeding(account)
    return Demo(account, _business(sandbox), seeded.sales, seeded.service, seeded.deals)


def _business(sandbox: "Sandbox") -> Business:
    world = sandbox.freshbooks
    owner = world.add_identity("olivia@balticoak.example", "Olivia Stone")
    business = world.add_business(
        owner, "Baltic Oak Studio", timezone="Europe/Vilnius", currency="EUR"
    )
    business.add_client(
        organization="Harbour Café OÜ", fname="Liis", lname="Tamm", email="liis@harbourcafe.example"
    )
    business.add_client(fname="Peter", lname="Novak", email="peter.novak@mail.example")
    return business


class _Seeding:
    """The account, step by step; the board's order is that of ``_fill``."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.sales = account.add_pipeline("Sales", SALES)
        self.service = account.add_pipeline("Service", SERVICE)
        self.mark = account.add_user("Mark Reed", "mark@balticoak.example")
        self.ieva = account.add_user("Ieva Kazlauskaitė", "ieva@balticoak.example", leads="M")
        self.deals: dict[str, Deal] = {}
        self._fields()
        self.products = self._products()
        self._fill()

    def _fields(self) -> None:
        add = self.account.add_field
        add("leads", "text", "PO number", "PO_NUMBER")
        add("leads", "numeric", "Due days", "DUE_DAYS")
        add("leads", "numeric", "Discount", "DISCOUNT")
        add("leads", "select", "Currency", "CURRENCY", enums=["EUR", "USD", "GBP", "JPY"])
        add("leads", "date", "Delivery date", "DELIVERY_DATE")
        add("leads", "textarea", "Invoice notes", "INVOICE_NOTES")
        add("leads", "checkbox", "Urgent", "URGENT")
        add("leads", "smart_address", "Delivery address", "DELIVERY_ADDRESS")
        add("companies", "text", "VAT number", "VAT_NUMBER")
        add("companies", "smart_address", "Billing address", "BILLING_ADDRESS")
        add(
            "contacts",
            "select",
            "Language",
            "LANGUAGE",
            enums=[("English", "en"), ("French", "fr")],
        )

    def _products(self) -> dict[str, Element]:
        account, catalog = self.account, self.account.add_catalog("Products")
        unit = account.field("catalogs", "UNIT", catalog.id)
        assert unit.enums is not None
        unit.enums.append(type(unit.enums[0])(account.new_id(), "m", 4, "m"))
        account.add_field(
            "catalogs", "select", "VAT", "VAT", enums=["Standard", "Reduced", "None"],
            catalog_id=catalog.id,
        )  # fmt: skip
        made = {}
        for sku, name, price, wholesale, measure, vat in PRODUCTS:
            fields: dict[int | str, Any] = {"UNIT": measure, "VAT": vat}
            if wholesale is not None:
                fields["WHOLESALE_PRICE"] = wholesale
            made[sku] = account.add_element(catalog, name, sku=sku, price=price, fields=fields)
        return made

    def _deal(self, name: str, price: Any, stage: str, **more: Any) -> None:
        pipeline = more.pop("pipeline", self.sales)
        products = [self._product(*one) for one in more.pop("products", ())]
        self.deals[name] = self.account.add_deal(
            name, price, pipeline_id=pipeline.id, stage_id=pipeline.stage(stage).id,
            products=products, **more,
        )  # fmt: skip

    def _product(self, sku: str, quantity: Any, price_code: str = "") -> tuple[Any, ...]:
        element = self.products[sku]
        if not price_code:
            return (element, quantity)
        price = self.account.field("catalogs", price_code, element.catalog_id)
        return (element, quantity, price.id)

    def _fill(self) -> None:
        self._fill_cafe()
        self._fill_offices()
        self._fill_studio()
        self._fill_people()
        self._fill_odd_ones()

    def _fill_cafe(self) -> None:
        add, account = self._deal, self.account
        cafe = account.add_company(
            "Harbour Café OÜ", email="office@harbourcafe.example", phone="+372 5550 1401",
            fields={
                "VAT_NUMBER": "EE101234565",
                "BILLING_ADDRESS": _address("Sadama 12", "Tallinn", "10111", "EE"),
            },
        )  # fmt: skip
        liis = account.add_contact(
            first_name="Liis", last_name="Tamm", email="liis@harbourcafe.example",
            phone="+372 5550 1402", company=cafe,
        )  # fmt: skip
        add(
            "Chairs for the terrace", "1788.00", "Agreed", contact=liis, company=cafe,
            products=[("CH-OAK-01", 12)], tags=["horeca"],
            fields={"PO_NUMBER": "HC-2026-031", "DUE_DAYS": 14},
        )  # fmt: skip
        add(
            "Second table for the bar", "986.15", "Offer sent", contact=liis, company=cafe,
            products=[("TB-OAK-18", 1), ("DL-EU", 1)], fields={"CURRENCY": "EUR"},
        )  # fmt: skip

    def _fill_offices(self) -> None:
        add, account = self._deal, self.account
        north = account.add_company(
            "Northwind Offices Ltd", email="ap@northwind-offices.example",
            address="4 Canal Street, Manchester M1 3HE",
            fields={"VAT_NUMBER": "GB123456789"},
        )  # fmt: skip
        owen = account.add_contact(
            first_name="Owen", last_name="Price", email="Owen.Price@Northwind-Offices.example",
            company=north, fields={"LANGUAGE": "English"},
        )  # fmt: skip
        add(
            "Meeting room fit-out", "4452.00", "Agreed", contact=owen, company=north,
            products=[("TB-OAK-18", 6, "WHOLESALE_PRICE")], responsible_user_id=self.mark.id,
            fields={"CURRENCY": "GBP", "DISCOUNT": 5, "DUE_DAYS": 30, "PO_NUMBER": "NW/7781"},
        )  # fmt: skip

    def _fill_studio(self) -> None:
        add, account = self._deal, self.account
        studio = account.add_company("Studio Kita", phone="+81 75 555 0139")
        yuki = account.add_contact(
            first_name="Yuki", last_name="Mori", email="mori@studio-kita.example", company=studio
        )
        add("Showroom set, Kyoto", 184000, "Offer sent", contact=yuki, company=studio,
            fields={"CURRENCY": "JPY"}, responsible_user_id=self.mark.id)  # fmt: skip

    def _fill_people(self) -> None:
        add, account = self._deal, self.account
        peter = account.add_contact(
            first_name="Peter", last_name="Novak", email="peter.novak@mail.example",
            phone="+421 905 551 410",
        )  # fmt: skip
        add(
            "Upholstery and assembly", "208.50", "Agreed", contact=peter,
            products=[("FB-LIN-NAT", "2.5"), ("SV-ASSEMBLY", "2.5")],
            fields={"DELIVERY_ADDRESS": _address("Hlavná 8", "Košice", "040 01", "SK")},
        )  # fmt: skip
        ruth = account.add_contact(
            first_name="Ruth", last_name="Adeyemi", email="ruth@adeyemi.example"
        )
        add("Bespoke wardrobe", "1200.75", "Agreed", contact=ruth,
            fields={"CURRENCY": "USD", "INVOICE_NOTES": "Half now, half on delivery."})  # fmt: skip
        add(
            "Three copies and a shelf", "324.60", "Needs", contact=ruth,
            products=[("BK-CARE", 3), ("SH-ASH-05", 1)], fields={"CURRENCY": "EUR"},
        )  # fmt: skip
        delivery = account.clock.now() + timedelta(days=20)
        add(
            "Holiday flat, Palanga", "1256.50", "First contact", contact=peter,
            products=[("CH-OAK-01", 6), ("SV-DESIGN", 5)], tags=["private"],
            fields={"DELIVERY_DATE": delivery, "URGENT": True},
        )  # fmt: skip

    def _fill_odd_ones(self) -> None:
        """What a demo has to show: a missing e-mail, a missing amount, nobody to bill."""
        add, account = self._deal, self.account
        jonas = account.add_contact(
            first_name="Jonas", last_name="Petraitis", phone="+370 600 00145"
        )
        add("Kitchen shelves (no e-mail)", "529.80", "Agreed", contact=jonas,
            products=[("SH-ASH-05", 2)], responsible_user_id=self.ieva.id)  # fmt: skip
        marta = account.add_contact(
            first_name="Marta", last_name="Silva", email="marta.silva@mail.example"
        )
        add("Garden bench (price to be agreed)", None, "Needs", contact=marta)
        add("Chair repair", "67.50", "In repair", contact=marta, pipeline=self.service,
            products=[("SV-ASSEMBLY", "1.5")])  # fmt: skip
        add("Walk-in enquiry", "149.00", "First contact", products=[("CH-OAK-01", 1)])


def _address(line: str, city: str, code: str, country: str) -> dict[str, str]:
    return {"address_line_1": line, "city": city, "zip": code, "country": country}
