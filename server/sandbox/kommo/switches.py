"""What nobody could verify about Kommo, as switches: tests run both readings."""

from dataclasses import dataclass
from typing import Literal


@dataclass
class KommoSwitches:
    """Defaults are the reading that the references hold likelier; § numbers are kommo.md's."""

    # §1.6: "until_first_use" (Kommo's text) keeps the old refresh token alive until the new one is
    # used; "at_once" (amoCRM's text) kills both old tokens with the refresh.
    refresh_rule: Literal["until_first_use", "at_once"] = "until_first_use"
    # §1.6: whether a call with the new access token already ends the old refresh token's grace.
    access_use_ends_grace: bool = False
    # §1.5: documented 400, seen 401.
    token_error_status: int = 401
    # §1.8: what the token endpoint of a renamed account's old host answers.
    moved_status: int = 404
    # §4.2.1: absent on older accounts.
    price_with_minor_units: bool = True
    # §4.0: an unknown lead is 204 without body; other entities 404.
    unknown_lead_status: int = 204
    unknown_entity_status: int = 404
    # §4.2: whether GET of a lead in the trash still shows it.
    trashed_lead_readable: bool = False
    # §3.4: newer captures have the account block first, older ones last.
    account_block_first: bool = True
    # §9: a move fires the status hook and the update hook.
    move_fires_update: bool = True
    # §11: whether writes through the API fire hooks back at the integration that wrote.
    own_writes_fire_hooks: bool = True
    # A capture of 2025 shows modified_user_id=0 for what an integration wrote.
    api_writes_as_robot: bool = True
    # §3.1: plans without webhooks; the status they answer is not known.
    plan_has_webhooks: bool = True
    no_webhooks_status: int = 403
    # §3.1: whether POST alone enables a disabled hook.
    post_enables_hook: bool = True
    # §2: whether disabling the integration takes its webhooks along.
    disabling_removes_hooks: bool = True
    # §3.5: "four" tries again within an hour, "once" never.
    dp_retries: Literal["four", "once"] = "four"
    # §3.5: docs print JSON, captures are form-encoded.
    dp_json: bool = False
    # §5: 7 a second; 0 is no limit. Counted in real time, so a frozen clock does not jam it.
    requests_per_second: int = 7
    account_requests_per_second: int = 50
    # §5: how many violations within a minute block the address.
    block_after_violations: int = 50
    retry_after_header: bool = False
    throttle_body: Literal["json", "html"] = "json"
    # §4.7: a page of custom fields has 50 rows whatever limit says (0: limit is honoured).
    fields_page_cap: int = 50
    # §4.0: whether query= on leads also looks into the names and fields of linked people.
    deal_query_finds_people: bool = False
    # §4.4: linking a product again was reported to fail; 200 changes the link instead.
    relink_status: int = 500
    # §1.6: what X-Context-User-ID of an unknown or free user is answered.
    context_user_denied_status: int = 401
    # §7: only the vendor's PHP model has it.
    is_admin_claim: bool = True
    # §4.10: events that happened within this time are not listed yet.
    events_lag_seconds: float = 0
    # §4.10: whether lead_added carries the stage in value_after; not documented.
    lead_added_has_status: bool = False
    # §4.10: whether filter[value_after|value_before] is honoured; unknown filters are ignored.
    event_stage_filter: bool = True
    # §4.7: numbers sent for text fields are refused.
    strict_text: bool = True
