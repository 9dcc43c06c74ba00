"""The control routes under ``/_sandbox/``: what a test or an operator asks of the sandbox, not of the cloud."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .clock import FASTEST, LONGEST_S
from .documents import read_json, what_is_wrong
from .faults import BadFaultError
from .gate import bounded_body
from .routing import encode
from .service import CloudService


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_Made = TypeVar("_Made", bound=_Body)


class _Advance(_Body):
    seconds: Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)]


class _Speed(_Body):
    speed: Annotated[float, Field(ge=0, le=FASTEST, allow_inf_nan=False)]


class _Reset(_Body):
    pass


def control_app(service: CloudService) -> Starlette:
    """Give the ASGI application of the control routes; every answer is JSON, an error ``{"error": sentence}``."""

    async def requests(request: Request) -> Response:
        del request
        service.settle()
        return JSONResponse(service.log.documents())

    async def world(request: Request) -> Response:
        del request
        return Response(encode(service.overview()), media_type="application/json")

    async def advance(request: Request) -> Response:
        wanted = await _posted(request, _Advance, 'Post {"seconds": n} with n >= 0.')
        return JSONResponse({"now": service.advance(wanted.seconds)})

    async def speed(request: Request) -> Response:
        wanted = await _posted(request, _Speed, 'Post {"speed": n} with n >= 0.')
        return JSONResponse({"now": service.set_speed(wanted.speed)})

    async def reset(request: Request) -> Response:
        await _posted(request, _Reset, "Post {} or nothing at all: a reset has no options.", empty={})
        service.reset()
        return JSONResponse({"now": service.clock.now()})

    async def set_faults(request: Request) -> Response:
        try:
            return JSONResponse(service.set_faults(await _document(request, "Post a JSON list of fault objects.")))
        except BadFaultError as error:
            raise HTTPException(400, str(error)) from None

    async def faults(request: Request) -> Response:
        del request
        return JSONResponse(service.faults.documents())

    return Starlette(
        routes=[
            Route("/_sandbox/requests", requests, methods=["GET"]),
            Route("/_sandbox/world", world, methods=["GET"]),
            Route("/_sandbox/advance", advance, methods=["POST"]),
            Route("/_sandbox/speed", speed, methods=["POST"]),
            Route("/_sandbox/reset", reset, methods=["POST"]),
            Route("/_sandbox/faults", set_faults, methods=["POST"]),
            Route("/_sandbox/faults", faults, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _on_refusal},
    )


def refused(no: HTTPException) -> Response:
    """Give the answer that refuses a request."""
    return JSONResponse({"error": no.detail}, no.status_code, no.headers)


def _on_refusal(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette hands over what this was registered for
    return refused(error)


async def _posted(request: Request, kind: type[_Made], right: str, empty: Any = None) -> _Made:
    document = await _document(request, right, empty)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise HTTPException(400, what_is_wrong(error, right)) from None


async def _document(request: Request, right: str, empty: Any = None) -> Any:
    body = await bounded_body(request)
    if not body and empty is not None:
        return empty
    try:
        return read_json(body)
    except ValueError as error:
        raise HTTPException(400, f"The body is no JSON ({error}). {right}") from None
