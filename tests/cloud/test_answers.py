from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdrs_nb import errors
from sdrs_nb.cloud.answers import Answer, Call, error_of, find_code, parse, shorten

CALL = Call("GET", "sdrs", "/v1/{project_id}/server-groups", repeatable=True)
PATH = "/v1/p/server-groups"


def failed(status, body, **headers):
    """Return the error of an answer."""
    content = body if isinstance(body, bytes) else body.encode()
    return error_of(CALL, PATH, Answer(status, headers, content), datetime(2026, 1, 31, tzinfo=UTC))


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        pytest.param('{"error":{"message":"no group","code":"SDRS.1013"}}', "SDRS.1013", "no group", id="SDRS"),
        pytest.param('{"badrequest":{"message":"m","code":"SDRS.0201"}}', "SDRS.0201", "m", id="bad request"),
        pytest.param('{"itemNotFound":{"code":404,"message":"gone"}}', "404", "gone", id="OpenStack, code a number"),
        pytest.param(
            '{"error_msg":"denied","error_code":"APIGW.0302","request_id":"r"}', "APIGW.0302", "denied", id="gateway"
        ),
        pytest.param('{"errorCode":"X.1","errorMsg":"m"}', "X.1", "m", id="camel case"),
        pytest.param('{"code":"VPC.0101","message":"m"}', "VPC.0101", "m", id="top level"),
        pytest.param(
            '{"error":{"code":401,"message":"wrong","title":"Unauthorized"}}', "401", "wrong", id="IAM, code a number"
        ),
        pytest.param('{"a":{"b":{"error_code":"Deep.1","error_msg":"m"}}}', "Deep.1", "m", id="deeper"),
        pytest.param('{"error":{"code":null,"message":"only text"}}', "", "only text", id="no code"),
        pytest.param("<html>502 Bad Gateway</html>", "", "<html>502 Bad Gateway</html>", id="a proxy's page"),
        pytest.param("", "", "", id="empty"),
        pytest.param("[1, 2]", "", "", id="a list"),
        pytest.param('"text"', "", "", id="a string"),
    ],
)
def test_every_documented_error_body_is_read(body, code, text):
    """Code and the cloud's own text come out of each shape unchanged."""
    error = failed(400, body)

    assert (error.code, error.cloud_message) == (code, text)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "SDRS.0201", errors.CloudError),
        (400, "SDRS.0002", errors.AuthenticationError),
        (400, "SDRS.0004", errors.PermissionDeniedError),
        (401, "APIGW.0301", errors.AuthenticationError),
        (403, "APIGW.0302", errors.PermissionDeniedError),
        (404, "APIGW.0101", errors.UnknownCallError),
        (404, "APIG.0101", errors.UnknownCallError),
        (404, "", errors.NotFoundError),
        *((400, f"SDRS.{code}", errors.NotFoundError) for code in (1013, 1320, 1608, 1902, 1326)),
        *((400, f"SDRS.{code}", errors.ConflictError) for code in (1024, 1323, 1325, 1002, 1305)),
        (409, "", errors.ConflictError),
        (429, "APIGW.0308", errors.ThrottledError),
        (500, "SDRS.1013", errors.ServiceError),
        (504, "", errors.ServiceError),
        (302, "", errors.CloudError),
        (418, "", errors.CloudError),
    ],
)
def test_the_class_follows_status_and_code(status, code, kind):
    """SDRS says "not found" and "wrong state" with a 400, so its codes decide there; a 5xx stays one."""
    error = failed(status, f'{{"error":{{"code":"{code}","message":"m"}}}}')

    assert type(error) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, '{"error_code":"APIGW.0101","error_msg":"m"}', errors.UnknownCallError),
        (404, '{"error_code":"APIG.0101","error_msg":"m"}', errors.UnknownCallError),
        (404, "", errors.UnknownCallError),
        (404, "<html>not found</html>", errors.UnknownCallError),
        (405, '{"message":"Method not allowed"}', errors.UnknownCallError),
        (404, '{"error":{"code":"SDRS.1013","message":"no such group"}}', errors.NotFoundError),
        (404, '{"error":{"code":"SDRS.2206","message":"no such tag key"}}', errors.NotFoundError),
        (400, '{"error":{"code":"SDRS.1013","message":"no such group"}}', errors.NotFoundError),
    ],
)
def test_a_gateway_that_has_no_such_call_is_told_from_an_object_that_is_not_there(status, body, kind):
    """For calls that change something: without a code of the service nobody but the gateway can have answered."""
    call = Call("POST", "sdrs", "/v1/{project_id}/protected-instances/batch")

    error = error_of(call, "/v1/p/protected-instances/batch", Answer(status, {}, body.encode()))

    assert type(error) is kind
    assert ("check the endpoint" in str(error)) is (kind is errors.UnknownCallError)


def test_a_message_says_what_was_asked_and_keeps_the_clouds_words():
    """Call, status, code, text and request id stand in the sentence, our advice after the cloud's words."""
    error = failed(400, '{"error":{"code":"SDRS.1013","message":"The group {x} %s"}}', **{"x-request-id": "req-1"})

    assert str(error).startswith("GET /v1/p/server-groups answered 400, SDRS.1013: The group {x} %s.")
    assert "load the inventory again" in str(error)
    assert error.request_id == "req-1"
    assert "req-1" in str(error)


def test_the_request_id_of_the_body_counts_too():
    """The gateway writes it into the body."""
    assert failed(429, '{"error_code":"APIGW.0308","error_msg":"m","request_id":"body-1"}').request_id == "body-1"


def test_a_long_and_hostile_body_is_cut_to_one_printable_line():
    """A proxy's error page neither floods a notebook nor moves its cursor."""
    error = failed(502, "\x1b[31m" + "spam\n" * 100_000)

    assert len(str(error)) < 900
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)


def test_a_clock_that_is_off_is_named_with_a_refused_signature():
    """The commonest reason for a 401 with an access key is said in minutes."""
    error = failed(401, "{}", date="Sat, 31 Jan 2026 00:20:00 GMT")

    assert "differ by 20 minutes" in str(error)


@pytest.mark.parametrize("date", ["Sat, 31 Jan 2026 00:01:00 GMT", "yesterday", ""])
def test_a_clock_that_is_right_or_unknown_is_not_mentioned(date):
    """No guess is made."""
    assert "clock and the cloud's differ" not in str(failed(401, "{}", date=date))


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_any_document_is_searched_without_failing(document):
    """Whatever JSON comes, the search ends in texts or in nothing."""
    found = find_code(document)

    assert found is None or all(isinstance(part, str) for part in found)


@given(st.binary(max_size=200), st.integers(300, 599))
def test_any_bytes_make_an_error(content, status):
    """No body, however broken, makes anything but an error of our tree."""
    assert isinstance(error_of(CALL, PATH, Answer(status, {}, content)), errors.CloudError)


def test_an_empty_success_is_an_empty_document():
    """A 204 has no body."""
    assert parse(CALL, PATH, Answer(204, {}, b"")) == {}


def test_a_success_that_is_no_json_is_an_error_that_names_the_endpoint():
    """A login page with status 200 must not pass for an empty list."""
    with pytest.raises(errors.CloudError, match=r"not JSON: <html>login</html>. A proxy") as caught:
        parse(CALL, PATH, Answer(200, {}, b"<html>login</html>"))

    assert caught.value.status == 200


@given(st.text())
def test_shortened_text_is_short_and_printable(text):
    """For any text."""
    assert len(shorten(text)) <= 501
    assert shorten(text).isprintable()
