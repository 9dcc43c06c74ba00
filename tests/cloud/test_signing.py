from datetime import datetime

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given
from hypothesis import strategies as st

from sdrs_nb.cloud.signing import DATE_FORMAT, authorization, canonical_request, encode_query
from tests.builders_cloud import ACCESS, PROJECT

HEADERS = {
    "Host": "sdrs.cn-north-4.myhuaweicloud.com",
    "X-Sdk-Date": "20240131T010203Z",
    "Content-Type": "application/json",
    "X-Project-Id": PROJECT,
}
GROUP = "523ab8ad-3759-4933-9436-4cf4ebb20867"
QUERY = (("server_group_id", GROUP), ("limit", "100"), ("name", "web server 中"))
BODY = (
    b'{"protected_instances": {"name_prefix": "web", "server_group_id": "523ab8ad-3759-4933-9436-4cf4ebb20867", '
    b'"servers": [{"server_id": "403b603d-1d91-42cc-a357-81f3c2daf43f"}]}}'
)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


def test_the_canonical_request_is_the_published_one():
    """Vector 1 of the reference, text for text."""
    text = canonical_request("GET", f"/v1/{PROJECT}/protected-instances", QUERY, HEADERS, b"")

    assert text.splitlines() == [
        "GET",
        f"/v1/{PROJECT}/protected-instances/",
        f"limit=100&name=web%20server%20%E4%B8%AD&server_group_id={GROUP}",
        "content-type:application/json",
        "host:sdrs.cn-north-4.myhuaweicloud.com",
        f"x-project-id:{PROJECT}",
        "x-sdk-date:20240131T010203Z",
        "",
        "content-type;host;x-project-id;x-sdk-date",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ]


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "signature"),
    [
        pytest.param(
            "GET",
            "protected-instances",
            QUERY,
            b"",
            "f995edb2bf8346a7dd151388666fab2aa875fc771117d6310cabb96463698718",
            id="vector 1, query and no body",
        ),
        pytest.param(
            "POST",
            "protected-instances/batch",
            (),
            BODY,
            "0598ca063e29288893b58fdad24420b41f8770f588b836287b61d6ac9dd4d26c",
            id="vector 2, body and no query",
        ),
    ],
)
def test_published_vectors_are_reproduced(method, path, query, body, signature):
    """The signature is the one that the vendor's signer made."""
    header = authorization(method, f"/v1/{PROJECT}/{path}", query, HEADERS, body, **ACCESS)

    assert header == (
        "SDK-HMAC-SHA256 Access=SDRSDEMOACCESSKEY001, "
        f"SignedHeaders=content-type;host;x-project-id;x-sdk-date, Signature={signature}"
    )


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    segments=st.lists(TEXT.filter(lambda text: "%" not in text and "/" not in text), min_size=1, max_size=4),
    query=st.dictionaries(TEXT, TEXT, max_size=4),
    body=st.binary(max_size=40),
    when=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)),  # noqa: DTZ001 - plain UTC
)
def test_the_vendors_signer_agrees(method, segments, query, body, when):
    """Any request is signed exactly as the vendor's SDK would sign it."""
    path = "/" + "/".join(segments)
    headers = {**HEADERS, "X-Sdk-Date": when.strftime(DATE_FORMAT)}
    theirs = SdkRequest(
        method=method,
        schema="https",
        host=HEADERS["Host"],
        resource_path=path,
        query_params=list(query.items()),
        header_params=dict(headers),
        body=body,
    )
    keys = BasicCredentials(ACCESS["access_key"], ACCESS["secret_key"], PROJECT)

    ours = authorization(method, path, query.items(), headers, body, **ACCESS)

    assert ours == Signer(keys).sign(theirs).header_params["Authorization"]


def test_a_signature_without_host_is_not_made():
    """A signature that does not cover the host would be good anywhere."""
    with pytest.raises(KeyError):
        authorization("GET", "/", (), {"X-Sdk-Date": "20240131T010203Z"}, b"", **ACCESS)


def test_headers_with_underscores_are_not_covered():
    """Gateways drop such headers, so a signature over them could not be verified."""
    text = canonical_request("GET", "/", (), {**HEADERS, "X_Odd": "1"}, b"")

    assert "x_odd" not in text.lower()


def test_pairs_are_sorted_before_they_are_encoded():
    """The order is that of the decoded pairs, as the vendor's signer has it."""
    assert encode_query([("b", "ü"), ("b", "z"), ("a", "x y")]) == "a=x%20y&b=z&b=%C3%BC"
