"""Refusals in FreshBooks' four body shapes (reference §2.4)."""

from dataclasses import dataclass
from typing import Any

#: google.rpc codes by HTTP status; 5 and 16 are seen, the others are Google's own table.
GOOGLE_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 422: 3, 429: 8, 500: 13, 503: 14}

NOT_AUTHORIZED = "The server could not verify that you are authorized to access the URL requested."
UNPROCESSABLE = "The request was well-formed but was unable to be followed due to semantic errors."


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong with a request."""

    errno: int
    message: str
    field: str = ""
    object: str = ""
    value: str = ""


class Refused(Exception):
    """A request that FreshBooks refuses; the body's shape follows from the path's family."""

    def __init__(self, status: int, *wrongs: Wrong) -> None:
        super().__init__("; ".join(w.message for w in wrongs))
        self.status = status
        self.wrongs = wrongs


def refused(status: int, errno: int, message: str, **where: str) -> Refused:
    """The common case: one thing is wrong."""
    return Refused(status, Wrong(errno, message, **where))


def invalid(errno: int, message: str, field: str, value: object = "", obj: str = "") -> Refused:
    """A value that fails validation: 422."""
    return refused(422, errno, message, field=field, value=str(value)[:200], object=obj)


def not_found(obj: str, key: str, value: object) -> Refused:
    """An id that this account does not have: 404 with errno 1012."""
    return refused(
        404, 1012, f"{obj.capitalize()} not found.", field=key, object=obj, value=str(value)
    )


def body_for(path: str, problem: Refused, style: str) -> dict[str, Any]:
    """The JSON body of a refusal under ``path``."""
    if path.startswith("/auth/"):
        return auth_body(problem)
    if path.startswith("/events/"):
        return events_body(problem)
    if path.startswith("/payments/account/"):
        return {"error_type": "invalid_request", "message": problem.wrongs[0].message}
    if style == "google" and problem.status != 200:
        return google_body(problem)
    body = classic_body(problem)
    if style == "single":
        body["response"]["errors"] = body["response"]["errors"][0]
    return body


def classic_body(problem: Refused) -> dict[str, Any]:
    """Shape a: {"response": {"errors": [...]}}, sparse where there is nothing to name."""
    return {"response": {"errors": [_classic(w) for w in problem.wrongs]}}


def _classic(wrong: Wrong) -> dict[str, Any]:
    entry: dict[str, Any] = {"errno": wrong.errno, "message": wrong.message}
    if wrong.field or wrong.object:
        entry |= {"field": wrong.field, "object": wrong.object, "value": wrong.value}
    return entry


def google_body(problem: Refused) -> dict[str, Any]:
    """Shape b: google.rpc.Status with one ErrorInfo for each thing that is wrong."""
    return {
        "code": GOOGLE_CODES.get(problem.status, 2),
        "message": f"Request failed with status_code: {problem.status}",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": str(w.errno),
                "domain": "accounting.api.freshbooks.com",
                "metadata": {
                    "object": w.object,
                    "message": w.message,
                    "value": w.value,
                    "field": w.field,
                },
            }
            for w in problem.wrongs
        ],
    }


def events_body(problem: Refused) -> dict[str, Any]:
    """Shape c: errno is the HTTP status; details only for validation."""
    if problem.status == 401:
        message = "invalid_token: The request token failed to authenticate or validate."
        return {"errno": 401, "message": message}
    if problem.status == 404:
        return {"errno": 404, "message": "Requested resource could not be found."}
    if problem.status == 422:
        details = [f"{w.field}: {w.message}" for w in problem.wrongs]
        return {"errno": 422, "message": UNPROCESSABLE, "details": details}
    return {"errno": problem.status, "message": problem.wrongs[0].message}


def auth_body(problem: Refused) -> dict[str, Any]:
    """Shape d: OAuth's pair."""
    if problem.status == 401:
        return {
            "error": "unauthenticated",
            "error_description": "This action requires authentication to continue.",
        }
    if problem.status >= 500:
        return {
            "error": "internal_server_error",
            "error_description": "internal server error",
        }
    error = "not_found" if problem.status == 404 else "invalid_request"
    return {"error": error, "error_description": problem.wrongs[0].message}
