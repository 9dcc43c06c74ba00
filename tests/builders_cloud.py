"""A cloud played by a table of answers, for tests of cloud access: what was asked is kept, nothing is patched."""

import json
from collections.abc import Callable, Mapping

import httpx

from sdrs_nb.cloud import Cloud, connect

PROJECT = "0123456789abcdef0123456789abcdef"
ACCESS = {"access_key": "SDRSDEMOACCESSKEY001", "secret_key": "demo-secret-key-for-signing-tests-only-0001"}
LOGIN = {"user": "operator", "password": "pass word", "domain": "account"}


class PlayedCloud:
    """Answers by ``METHOD path``; a value is a response, a document, an exception, a function or a list of these.

    A list is used up answer by answer, its last one for ever.  ``asked`` keeps every request as
    ``METHOD path?query``; IAM's answers are there unless they are replaced.
    """

    def __init__(self, answers: Mapping[str, object]) -> None:
        self.requests: list[httpx.Request] = []
        self.tokens = 0
        self._answers: dict[str, list[object]] = {
            key: list(value) if isinstance(value, list) else [value]
            for key, value in {
                "GET /v3/projects": {"projects": [{"id": PROJECT, "name": "sandbox-1", "domain_id": "d1"}]},
                f"GET /v3.0/OS-CREDENTIAL/credentials/{ACCESS['access_key']}": {"credential": {"user_id": "u1"}},
                "POST /v3/auth/tokens": self.a_token,
                **answers,
            }.items()
        }

    def a_token(self, request: httpx.Request) -> httpx.Response:
        """Answer as IAM does, tokens counted from one."""
        self.tokens += 1
        user = json.loads(request.content)["auth"]["identity"]["password"]["user"]
        document = {
            "issued_at": "2026-01-31T00:00:00.000000Z",
            "expires_at": "2026-02-01T00:00:00.000000Z",
            "project": {"id": PROJECT, "name": "sandbox-1", "domain": {"id": "d1", "name": "account"}},
            "user": {"id": "u1", "name": user["name"], "domain": {"id": "d1", "name": "account"}},
        }
        return httpx.Response(201, json={"token": document}, headers={"X-Subject-Token": f"token-{self.tokens}"})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.raw_path.decode().partition("?")[0].replace(PROJECT, "P")
        waiting = self._answers.get(f"{request.method} {path}", [_unknown])
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Callable):  # type: ignore[arg-type]
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @property
    def asked(self) -> list[str]:
        """Every request but IAM's, with the project's id written P."""
        lines = [f"{r.method} {r.url.raw_path.decode().replace(PROJECT, 'P')}" for r in self.requests]
        return [line for line in lines if not any(part in line for part in ("/v3/auth", "/v3/projects", "/v3.0/"))]

    def connect(self, **options: object) -> Cloud:
        """Return a connection to it, signing unless other credentials are named."""
        named = {"endpoint": "http://cloud.test", "region": "sandbox-1", **options}
        if not {"user", "token", "access_key"} & options.keys():
            named |= ACCESS
        return connect(transport=httpx.MockTransport(self), **named)  # type: ignore[arg-type]


def _unknown(request: httpx.Request) -> httpx.Response:
    return httpx.Response(404, json={"error_code": "APIGW.0101", "error_msg": f"no such API: {request.url.path}"})


def an_error(status: int, code: str, message: str = "as the cloud words it", **headers: str) -> httpx.Response:
    """Return an error in the shape SDRS uses."""
    return httpx.Response(status, json={"error": {"code": code, "message": message}}, headers=headers)


def some(count: int, start: int = 0) -> list[dict[str, object]]:
    """Return ``count`` documents with ids and a status."""
    return [{"id": f"id-{number:05}", "status": "ACTIVE"} for number in range(start, start + count)]
