"""IAM: who exists, tokens with a service catalogue, projects and the account."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .clock import iso_micros_zulu
from .errors import IamRefusal, not_authenticated
from .routing import Caller, CloudCall, Reply, Route
from .settings import Settings
from .signing import KeyGuard

# Service type in the catalogue, service name, path below the origin; "{project}" stands for the project's id.
_CATALOG = (
    ("identity", "iam", "/v3"),
    ("ecs", "ecs", "/v1/{project}"),
    ("ecsv1.1", "ecsv1.1", "/v1.1/{project}"),
    ("compute", "nova", "/v2.1/{project}"),
    ("evs", "evs", "/v2/{project}"),
    ("volumev2", "cinderv2", "/v2/{project}"),
    ("vpc", "vpc", "/v1/{project}"),
    ("network", "neutron", ""),
    ("kms", "kms", "/v3/{project}"),
    ("deh", "deh", "/v1.0/{project}"),
    ("dss", "dss", "/v1/{project}"),
    ("as", "as", "/autoscaling-api/v1/{project}"),
    ("eps", "eps", "/v1.0"),
    ("sdrs", "sdrs", "/v1/{project}"),
)


@dataclass(frozen=True, slots=True)
class Project:
    """A project of the account."""

    id: str
    name: str


class Directory:
    """The account: one user, one access key, the region's default project and an empty sub-project.

    Tokens carry their own content under a keyed hash, so that they stay valid when a sandbox with kept state
    starts again.

    Parameters
    ----------
    seed
        Everything is drawn from it; the same seed gives the same credentials.
    settings
        Region name, life of a token, rules of the signature.
    wall
        Wall time in seconds since 1970: tokens and signatures live on wall time, because clients compare them
        with their own clock.
    """

    def __init__(self, seed: str, settings: Settings, wall: Callable[[], float]) -> None:
        draw = random.Random(f"{seed}/iam")  # noqa: S311 - the credentials of a sandbox are meant to be repeatable

        def hex_id() -> str:
            return f"{draw.getrandbits(128):032x}"

        self.settings = settings
        self.wall = wall
        self.domain_id, self.domain_name = hex_id(), "sandbox-account"
        self.user_id, self.user_name = hex_id(), "operator"
        self.password = "Sb!" + hex_id()[:16]
        self.access_key = "SANDBOX" + hex_id()[:13].upper()
        self.secret_key = hex_id() + hex_id()[:8]
        self.project = Project(hex_id(), settings.region)
        self.other_project = Project(hex_id(), f"{settings.region}_staging")
        self.projects = (self.project, self.other_project)
        self._token_key = hex_id().encode()
        self.guard = KeyGuard(
            self.access_key,
            self.secret_key,
            skew_s=settings.skew_s,
            lock_after=settings.lock_after,
            lock_s=settings.lock_s,
        )
        self._revoked: set[str] = set()

    def credentials(self) -> dict[str, str]:
        """Give what a client needs to log in: the fields of the start-up line but the endpoint."""
        return {
            "region": self.settings.region,
            "project_id": self.project.id,
            "domain": self.domain_name,
            "user": self.user_name,
            "password": self.password,
            "access_key": self.access_key,
            "secret_key": self.secret_key,
        }

    def issue(self, project_id: str) -> tuple[str, float, float]:
        """Give a token for a project (empty = for the account), when it was issued and when it expires."""
        issued = round(self.wall(), 3)
        expires = issued + self.settings.token_s
        content = json.dumps([self.user_id, project_id, issued, expires]).encode()
        text = base64.urlsafe_b64encode(content).decode().rstrip("=")
        return f"MIISB{text}.{self._seal(text)}", issued, expires

    def read(self, token: str) -> Caller:
        """Give the caller a token stands for.

        Raises
        ------
        Refusal
            401 APIGW.0301: not a token of this cloud, revoked, or expired.
        """
        text, _, seal = token.removeprefix("MIISB").partition(".")
        if not hmac.compare_digest(self._seal(text).encode(), seal.encode()) or token in self._revoked:
            raise not_authenticated("decrypt token fail")
        user_id, project_id, _, expires = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if expires <= self.wall():
            raise not_authenticated("token expires")
        return Caller(user_id, self.domain_id, project_id, by_token=True)

    def revoke(self, token: str) -> None:
        """Let a token expire now."""
        self._revoked.add(token)

    def find_project(self, wanted: dict[str, Any]) -> Project | None:
        """Give the project a scope names by ``id`` or ``name``, None if there is none."""
        for project in self.projects:
            if wanted.get("id") == project.id or ("id" not in wanted and wanted.get("name") == project.name):
                return project
        return None

    def _seal(self, text: str) -> str:
        return hmac.new(self._token_key, text.encode(errors="replace"), hashlib.sha256).hexdigest()

    # -- routes ------------------------------------------------------------------------------------------------

    def routes(self) -> tuple[Route, ...]:
        """Give IAM's routes."""
        return (
            Route("POST", "/v3/auth/tokens", self._create_token, "open"),
            Route("GET", "/v3/auth/tokens", self._show_token, "any"),
            Route("GET", "/v3/projects", self._list_projects, "any"),
            Route("GET", "/v3/auth/projects", self._list_projects, "any"),
            Route("GET", "/v3/auth/domains", self._list_domains, "any"),
            Route("GET", "/v3.0/OS-CREDENTIAL/credentials/{access_key}", self._show_access_key, "any"),
            Route("GET", "/v3", self._show_version, "open"),
        )

    def _create_token(self, call: CloudCall) -> Reply:
        bad = IamRefusal(400, "Bad Request", "The request body is invalid.")
        auth = call.fields("auth", bad)
        if not isinstance(auth.get("identity"), dict):
            raise bad
        self._check_password(auth["identity"], bad)
        project = self._scoped_project(auth.get("scope"), bad)
        token, issued, expires = self.issue(project.id if project else "")
        nocatalog = call.one("nocatalog") is not None
        document = self._token_document(project, issued, expires, None if nocatalog else call.origin)
        return Reply(201, {"token": document}, {"X-Subject-Token": token})

    def _check_password(self, identity: dict[str, Any], bad: IamRefusal) -> None:
        wrong = IamRefusal(401, "Unauthorized", "The username or password is wrong.")
        if identity.get("methods") == ["token"]:
            given = identity.get("token")
            self.read(str(given.get("id")) if isinstance(given, dict) else "")
            return
        password = identity.get("password")
        user = password.get("user") if isinstance(password, dict) else None
        if identity.get("methods") != ["password"] or not isinstance(user, dict):
            raise bad
        domain = user.get("domain")
        named = isinstance(domain, dict) and (
            domain.get("name") == self.domain_name or domain.get("id") == self.domain_id
        )
        known = user.get("id") == self.user_id or (user.get("name") == self.user_name and named)
        given_password = user.get("password")
        if not known or not isinstance(given_password, str):
            raise wrong
        if not hmac.compare_digest(given_password.encode(), self.password.encode()):
            raise wrong

    def _scoped_project(self, scope: Any, bad: IamRefusal) -> Project | None:
        if scope is None:
            # Without a scope IAM scopes the token to the account.
            return None
        if not isinstance(scope, dict):
            raise bad
        if isinstance(scope.get("domain"), dict):
            wanted = scope["domain"]
            if wanted.get("name") not in (None, self.domain_name) or wanted.get("id") not in (None, self.domain_id):
                raise IamRefusal(401, "Unauthorized", "The account does not exist.")
            return None
        if not isinstance(scope.get("project"), dict):
            raise bad
        project = self.find_project(scope["project"])
        if project is None:
            raise IamRefusal(401, "Unauthorized", "The project does not exist or is not yours.")
        return project

    def _token_document(
        self, project: Project | None, issued: float, expires: float, origin: str | None
    ) -> dict[str, Any]:
        domain = {"id": self.domain_id, "name": self.domain_name}
        document: dict[str, Any] = {
            "expires_at": iso_micros_zulu(expires),
            "issued_at": iso_micros_zulu(issued),
            "methods": ["password"],
            "roles": [{"id": "0", "name": "te_admin"}, {"id": "0", "name": "op_gated_sdrs"}],
            "user": {"id": self.user_id, "name": self.user_name, "domain": domain, "password_expires_at": ""},
        }
        if project:
            document["project"] = {"id": project.id, "name": project.name, "domain": domain}
        else:
            document["domain"] = domain
        if origin is not None:
            document["catalog"] = self._catalog(project, origin)
        return document

    def _catalog(self, project: Project | None, origin: str) -> list[dict[str, Any]]:
        entries = []
        for kind, name, path in _CATALOG:
            if "{project}" in path and project is None:
                continue
            url = origin + path.format(project=project.id if project else "")
            # Global services are listed under "*"; OpenStack clients look for their region only, so both are there.
            regions = ["*", self.settings.region] if kind in {"identity", "eps"} else [self.settings.region]
            endpoints = [
                {"id": f"{kind}-{number}", "interface": "public", "region": region, "region_id": region, "url": url}
                for number, region in enumerate(regions)
            ]
            entries.append({"id": kind, "type": kind, "name": name, "endpoints": endpoints})
        return entries

    def _show_token(self, call: CloudCall) -> Reply:
        token = call.headers.get("x-subject-token", "")
        caller = self.read(token)
        project = next((known for known in self.projects if known.id == caller.project_id), None)
        text = token.removeprefix("MIISB").partition(".")[0]
        _, _, issued, expires = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return Reply(
            200, {"token": self._token_document(project, issued, expires, call.origin)}, {"X-Subject-Token": token}
        )

    def _show_access_key(self, call: CloudCall) -> Reply:
        """Show whose a permanent access key is; the path is the vendor's SDK's (ShowPermanentAccessKey)."""
        wanted = call["access_key"]
        if wanted != self.access_key:
            raise IamRefusal(404, "Not Found", f"Could not find credential: {wanted}.")
        credential = {
            "access": self.access_key,
            "user_id": self.user_id,
            "status": "active",
            "description": "",
            "create_time": "2026-01-01T00:00:00.000000Z",
        }
        return Reply(200, {"credential": credential})

    def _list_projects(self, call: CloudCall) -> Reply:
        name = call.one("name")
        found = [project for project in self.projects if name in {None, project.name}]
        projects = [
            {
                "id": project.id,
                "name": project.name,
                "domain_id": self.domain_id,
                "parent_id": self.domain_id,
                "enabled": True,
                "is_domain": False,
                "description": "",
                "links": {"self": f"{call.origin}/v3/projects/{project.id}"},
            }
            for project in found
        ]
        return Reply(
            200, {"projects": projects, "links": {"next": None, "previous": None, "self": f"{call.origin}/v3/projects"}}
        )

    def _list_domains(self, call: CloudCall) -> Reply:
        domain = {
            "id": self.domain_id,
            "name": self.domain_name,
            "enabled": True,
            "description": "",
            "links": {"self": f"{call.origin}/v3/domains/{self.domain_id}"},
        }
        return Reply(
            200,
            {"domains": [domain], "links": {"next": None, "previous": None, "self": f"{call.origin}/v3/auth/domains"}},
        )

    def _show_version(self, call: CloudCall) -> Reply:
        version = {
            "id": "v3.6",
            "status": "stable",
            "updated": "2016-04-04T00:00:00Z",
            "links": [{"rel": "self", "href": f"{call.origin}/v3/"}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
        }
        return Reply(200, {"version": version})
