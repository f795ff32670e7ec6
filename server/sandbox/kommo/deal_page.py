"""A deal's card where Kommo has it, as far as the sandbox shows one: what Billhook's pages link to.

GET /leads/detail/<deal id>
"""

from flask import Blueprint, Response, render_template_string

from server.sandbox.kommo.api import here
from server.sandbox.kommo.summary import deal_summary

deal_page = Blueprint("deal_page", __name__)

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ deal.name }} · {{ account.name }} · Kommo (sandbox)</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/settings-frame/page.css"></head>
<body>
<header><h1>{{ deal.name }}</h1><span>{{ account.name }} · Kommo (sandbox)</span></header>
<main><dl>
 <dt>Number</dt><dd>{{ deal.id }}</dd>
 <dt>Stage</dt><dd>{{ stage }}{% if deal.deleted %} (deleted){% endif %}</dd>
 <dt>Amount</dt><dd>{{ deal.price or "–" }} {{ account.currency }}</dd>
 <dt>Contacts</dt><dd>{{ deal.contacts|join(", ") or "–" }}</dd>
 {% for name, value in deal.fields.items() %}<dt>{{ name }}</dt><dd>{{ value }}</dd>{% endfor %}
</dl></main>
</body></html>"""


@deal_page.get("/leads/detail/<int:deal_id>")
def page(deal_id: int) -> Response:
    account = here.account()
    deal = account.deals.get(deal_id)
    if deal is None:
        return Response("There is no such deal.", 404)
    stages = account.pipelines[deal.pipeline_id].stages
    stage = next((one.name for one in stages if one.id == deal.status_id), "–")
    text = render_template_string(
        PAGE, account=account, deal=deal_summary(account, deal), stage=stage
    )
    return Response(text)
