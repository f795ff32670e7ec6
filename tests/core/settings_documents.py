"""Settings documents as hypothesis draws them: few words, so that two of them share some."""

from typing import Any

from hypothesis import strategies as st

from server.core.settings import SettingsDocument

_NAMES = st.sampled_from(["Won", "Paid", "Sent"])
_IDS = st.integers(1, 3)
_SOURCES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.sampled_from([{"field": "deal.name"}, {"text": "Order {deal.id}"}, {"text": ""}]),
    lambda inner: st.builds(lambda source: {"field": "deal.cf.7", "or": source}, inner),
    max_leaves=2,
)
_RATES = st.lists(
    st.fixed_dictionaries({"name": _NAMES, "percent": st.sampled_from(["0", "21"])}),
    max_size=2,
    unique_by=lambda rate: (rate["name"], rate["percent"]),
)
_RULES = st.fixed_dictionaries(
    {
        "slug": st.sampled_from(["a", "b", "c", "d", "e"]),
        "name": _NAMES,
        "when": st.lists(
            st.fixed_dictionaries({"pipeline_id": _IDS, "stage_id": _IDS}), min_size=1, max_size=2
        ),
    },
    optional={
        "match": st.sampled_from(["all", "any"]),
        "conditions": st.just([{"field": "deal.price", "is": "greater", "value": "5"}]),
        "still_in_stage": st.booleans(),
        "action": st.sampled_from(["draft", "mark_sent", "email"]),
    },
)
_TABLE = st.dictionaries(st.sampled_from(["Standard", "None", "Reduced"]), _RATES, max_size=3)
_DISCOUNTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["percent", "amount"]),
        "value": st.sampled_from([{"text": "5"}, {"field": "deal.cf.7", "or": {"text": ""}}]),
    }
)
_MAPPINGS = st.fixed_dictionaries(
    {},
    optional={
        "notes": st.none() | _SOURCES,
        "discount": st.none() | _DISCOUNTS,
        "lines": st.fixed_dictionaries({"from": st.sampled_from(["products", "amount"])}),
        "taxes": st.fixed_dictionaries({"fixed": _RATES, "table": _TABLE}),
        "client": st.fixed_dictionaries({"vat_number": st.none() | _SOURCES}),
        "write_back": st.fixed_dictionaries({"link": st.none() | st.just("LINK")}),
        "numbering": st.fixed_dictionaries({"next": _IDS}),
    },
)
documents: st.SearchStrategy[SettingsDocument] = st.builds(
    lambda rules, mapping: SettingsDocument.model_validate({"rules": rules, "mapping": mapping}),
    st.lists(_RULES, max_size=5, unique_by=lambda rule: rule["slug"]),
    _MAPPINGS,
)
