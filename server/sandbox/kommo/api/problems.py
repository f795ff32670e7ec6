"""Kommo's error bodies: problem+json, validation errors, and the proxy's HTML."""

import json
from typing import Any

from flask import Response

from server.sandbox.edge import Answer, html_page
from server.sandbox.kommo.book.base import Refused
from server.sandbox.kommo.switches import KommoSwitches

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
DETAILS = {
    401: "Account not found or token is not valid",
    402: "Account is blocked: the subscription has ended",
    403: "You are not allowed to do this",
    404: "The requested resource was not found",
    429: "Too many requests",
}


class Problem(Exception):
    """Leaves a handler with an error reply."""

    def __init__(self, status: int, detail: str = "", **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {**problem_body(status, detail), **more}


class Invalid(Exception):
    """The rows did not pass; ``errors`` as (request_id, refusals)."""

    def __init__(self, errors: list[tuple[str, list[Refused]]]) -> None:
        super().__init__("Request validation failed")
        self.errors = errors


class Nothing(Exception):
    """204: an empty list, or a lead that is not there."""


def problem_body(status: int, detail: str = "") -> dict[str, Any]:
    return {
        "title": TITLES.get(status, "Error"),
        "type": f"https://httpstatus.es/{status}",
        "status": status,
        "detail": detail or DETAILS.get(status, ""),
    }


def problem_response(problem: Problem) -> Response:
    return _problem(problem.body, problem.status)


def invalid_response(invalid: Invalid) -> Response:
    rows = [
        {
            "request_id": request_id,
            "errors": [
                {"code": one.code, "path": one.path, "detail": one.detail} for one in refusals
            ],
        }
        for request_id, refusals in invalid.errors
    ]
    return _problem(
        {"validation-errors": rows, **problem_body(400, "Request validation failed")}, 400
    )


def _problem(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/problem+json")


def invalid_query(name: str, detail: str) -> Invalid:
    return Invalid([("0", [Refused("InvalidValue", name, detail)])])


class KommoShapes:
    """What faults of the edge look like when Kommo words them."""

    def __init__(self, switches: KommoSwitches) -> None:
        self._switches = switches

    def error(self, status: int, path: str) -> Answer:
        body = json.dumps(problem_body(status)).encode()
        return Answer(status, body, "application/problem+json")

    def throttled(self, seconds: float, path: str) -> Answer:
        """429; the header is there where the fault names seconds or the switch says so."""
        answer = html_page(429) if self._switches.throttle_body == "html" else self.error(429, path)
        if seconds or self._switches.retry_after_header:
            answer.headers.append(("Retry-After", str(int(seconds) or 1)))
        return answer
