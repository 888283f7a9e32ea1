"""The envelope: every response of every route, success or error, wears it and carries `X-Request-Id`."""

import logging
import re
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Generic, Literal, TypeVar

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import MutableScopeHeaders, State
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import Message, Scope

from api.ports import LogUnavailable, StoreUnavailable

_log = logging.getLogger(__name__)
T = TypeVar("T")
AnyRequest = Request[object, object, State]

# What a caller may send as X-Request-Id to find its request in the logs: nothing that a log would have to escape.
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Envelope(msgspec.Struct, Generic[T], kw_only=True, frozen=True, rename="camel"):
    """The body of every response; `data` is null on errors."""

    response_type: Literal["success", "error"] = "success"
    message: str
    data: T | None


class ApiError(Exception):
    """An answer that is an error: the status is its type, the text a sentence for the caller."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers


def error_response(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response[Envelope[None]]:
    """An error in its envelope."""
    body: Envelope[None] = Envelope(response_type="error", message=sentence, data=None)
    return Response(body, status_code=status, media_type=MediaType.JSON, headers=dict(headers or {}))


def on_error(request: AnyRequest, error: Exception) -> Response[Envelope[None]]:
    """Every exception that leaves a handler or the framework, as an answer. Nothing of an unexpected one shows."""
    match error:
        case ApiError():
            return error_response(error.status, error.sentence, error.headers)
        case ValidationException():
            return error_response(422, flattened(error))
        case HTTPException() if error.status_code < 500:
            sentence = error.detail or HTTPStatus(error.status_code).phrase
            return error_response(error.status_code, sentence, _allow(error))
        case LogUnavailable() | StoreUnavailable():
            _log.warning("a dependency did not answer", extra=_fields(request, error))
            return error_response(500, "a part of the service is out of reach at the moment; please try again")
    _log.error("a request failed", exc_info=error, extra=_fields(request, error))
    return error_response(500, "something went wrong on our side; please try again")


def flattened(error: ValidationException) -> str:
    """Field errors as `field.path: reason; field.path: reason`."""
    extra = error.extra if isinstance(error.extra, list) else []
    reasons = [f"{each['key']}: {each['message']}" if each.get("key") else each["message"] for each in extra]
    return "; ".join(reasons) or error.detail


async def add_request_id(message: Message, scope: Scope) -> None:
    """A hook before every send: the response carries the request's id."""
    if message["type"] == "http.response.start":
        MutableScopeHeaders.from_message(message)["X-Request-Id"] = request_id(scope)


def request_id(scope: Scope) -> str:
    """The id of this request: the caller's own where it is a plain word, else a new UUID; the same on every call."""
    state = scope["state"]
    if "request_id" not in state:
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        state["request_id"] = given.decode() if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
    return str(state["request_id"])


def _allow(error: HTTPException) -> Mapping[str, str] | None:
    """The headers that belong to a framework error, such as `Allow` of a 405."""
    return error.headers


def _fields(request: AnyRequest, error: Exception) -> dict[str, str]:
    return {"request_id": request_id(request.scope), "path": request.scope["path"], "reason": str(error)}
