"""The gateway proves signatures, and locks a key that keeps failing."""

import hashlib
import time

import httpx
import pytest

from sdrs_nb.sandbox import Sandbox
from sdrs_nb.sandbox.signing import canonical_request, signature_of

PROJECT = "0123456789abcdef0123456789abcdef"
SECRET = "demo-secret-key-for-signing-tests-only-0001"
HEADERS = {
    "content-type": "application/json",
    "host": "sdrs.cn-north-4.myhuaweicloud.com",
    "x-project-id": PROJECT,
    "x-sdk-date": "20240131T010203Z",
}
BATCH_BODY = (
    b'{"protected_instances": {"name_prefix": "web", "server_group_id": "523ab8ad-3759-4933-9436-4cf4ebb20867", '
    b'"servers": [{"server_id": "403b603d-1d91-42cc-a357-81f3c2daf43f"}]}}'
)
VECTORS = [
    pytest.param(
        "GET",
        f"/v1/{PROJECT}/protected-instances",
        "server_group_id=523ab8ad-3759-4933-9436-4cf4ebb20867&limit=100&name=web+server+%E4%B8%AD",
        b"",
        "625de88b51e6ce7cea32d32748445248a7646396ba81abd3148e5919e851bd66",
        "f995edb2bf8346a7dd151388666fab2aa875fc771117d6310cabb96463698718",
        id="list with a query",
    ),
    pytest.param(
        "POST",
        f"/v1/{PROJECT}/protected-instances/batch",
        "",
        BATCH_BODY,
        "71427425042a639e13ae45807d93331b102d4d499d0b8322199de44c025ecdd6",
        "0598ca063e29288893b58fdad24420b41f8770f588b836287b61d6ac9dd4d26c",
        id="batch create with a body",
    ),
]


@pytest.mark.parametrize(("method", "path", "query", "body", "canonical_hash", "signature"), VECTORS)
def test_signature_equals_the_official_one(method, path, query, body, canonical_hash, signature):
    """Canonical request and signature are those of the official signer."""
    canonical = canonical_request(method, path, query, HEADERS, sorted(HEADERS), body)

    assert hashlib.sha256(canonical.encode()).hexdigest() == canonical_hash
    assert signature_of(SECRET, HEADERS["x-sdk-date"], canonical) == signature


class Signer:
    """Signs raw requests for one sandbox with a wall clock of its own."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000.0
        self.sandbox = Sandbox(3, 1, 0, wall=lambda: self.wall)
        self.account = self.sandbox.credentials
        self.path = f"/v1/{self.account['project_id']}/vpcs"
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.sandbox.app), base_url="http://sandbox")

    def headers(self, *, query: str = "", secret: str = "", age_s: float = 0) -> dict[str, str]:
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.wall - age_s))
        signed = {"host": "sandbox", "x-sdk-date": date}
        canonical = canonical_request("GET", self.path, query, signed, sorted(signed), b"")
        signature = signature_of(secret or self.account["secret_key"], date, canonical)
        key = self.account["access_key"]
        value = f"SDK-HMAC-SHA256 Access={key}, SignedHeaders=host;x-sdk-date, Signature={signature}"
        return {"X-Sdk-Date": date, "Authorization": value}

    async def get(self, **how) -> httpx.Response:
        return await self.http.get(self.path, headers=self.headers(**how))


@pytest.fixture(name="signer")
def _signer() -> Signer:
    return Signer()


async def test_good_signature_is_accepted(signer):
    """A correct signature opens the project."""
    assert (await signer.get()).status_code == 200


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"secret": "another"}, id="wrong secret"),
        pytest.param({"age_s": 901}, id="date more than 15 minutes old"),
        pytest.param({"age_s": -901}, id="date more than 15 minutes ahead"),
    ],
)
async def test_bad_signature_is_refused_as_the_gateway_does(signer, code_of, how):
    """A tampered signature or a stale date is 401 APIGW.0301."""
    answer = await signer.get(**how)

    assert (answer.status_code, code_of(answer)) == (401, "APIGW.0301")


async def test_request_changed_after_signing_is_refused(signer, code_of):
    """The signature covers the query: another limit needs another signature."""
    headers = signer.headers(query="limit=5")

    honest = await signer.http.get(f"{signer.path}?limit=5", headers=headers)
    tampered = await signer.http.get(f"{signer.path}?limit=6", headers=headers)

    assert (honest.status_code, tampered.status_code) == (200, 401)
    assert code_of(tampered) == "APIGW.0301"


async def test_five_bad_signatures_in_a_row_lock_the_key(signer):
    """After five failures even a good signature fails for five minutes of wall time."""
    for _ in range(5):
        await signer.get(secret="another")

    locked = await signer.get()
    signer.wall += 301
    free = await signer.get()

    assert (locked.status_code, free.status_code) == (401, 200)


async def test_success_ends_the_row_of_failures(signer):
    """Four failures, a success and four failures do not lock the key."""
    for _ in range(2):
        for _ in range(4):
            await signer.get(secret="another")
        assert (await signer.get()).status_code == 200
