"""What is sold may stand in any list of Kommo, with its price in a field of its own."""

from decimal import Decimal
from typing import Any

from tests.rig import Rig
from tests.stories.shop import Shop


def _services(rig: Rig) -> tuple[Any, Any, Any, Any]:
    """A list that is no product list, with a price and a number of its own, and one element."""
    services = rig.kommo.add_catalog("Services", type="regular")
    price = rig.kommo.add_field("catalogs", "numeric", "Rate", catalog_id=services.id)
    number = rig.kommo.add_field("catalogs", "text", "Number", catalog_id=services.id)
    own = {price.id: "80.50", number.id: "S-7"}
    return services, price, number, rig.kommo.add_element(services, "Repair", fields=own)


def test_elements_of_a_chosen_list_are_the_lines(rig: Rig) -> None:
    services, price, number, repair = _services(rig)
    lines = {
        "catalogs": [services.id],
        "price": {"field": f"product.cf.{price.id}"},
        "sku": {"field": f"product.cf.{number.id}"},
        "when_amount_differs": "ignore",
    }
    shop = Shop(rig, mapping={"lines": lines})
    chair = shop.product("40.00")
    shop.issue(shop.deal(None, products=[(repair.id, 2), (chair.id, 1)]))
    (invoice,) = shop.invoices
    (line,) = invoice["lines"]
    assert (line["name"], line["description"]) == ("Repair", "S-7")
    assert invoice["amount"] == Decimal("161.00")


def test_without_a_choice_only_products_are_sold(rig: Rig) -> None:
    *_list, repair = _services(rig)
    shop = Shop(rig, mapping={"lines": {"when_amount_differs": "ignore"}})
    chair = shop.product("40.00")
    shop.issue(shop.deal(None, products=[(repair.id, 2), (chair.id, 1)]))
    (invoice,) = shop.invoices
    assert [line["name"] for line in invoice["lines"]] == ["Chair"]
