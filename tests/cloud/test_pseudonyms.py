"""Pseudonyms: nothing of the operator's survives, the shape does, and equal texts stay equal."""

import ipaddress
import json
import re

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from sdrs_nb.cloud.pseudonyms import DROPPED, Pseudonyms
from sdrs_nb.cloud.vocabulary import is_literal, is_secret, vocabulary

MADE = Pseudonyms(b"k" * 32)
OTHER = Pseudonyms(b"o" * 32)
UUID = "8fe0250a-7271-4bc0-af41-4a125aa39b1c"
DOCUMENTATION = [ipaddress.ip_network(each) for each in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]

#: Names of fields, the service's and others, and texts of every form that stands in answers.
NAMES = st.sampled_from(sorted(vocabulary().fields)) | st.text(max_size=12)
TEXTS = (
    st.text(max_size=30)
    | st.uuids().map(str)
    | st.ip_addresses().map(str)
    | st.from_regex(r"[a-z]{2,8}(-[a-z]{2,8})?-\d{4}", fullmatch=True)
    | st.from_regex(r"[0-9a-fA-F]{16,40}|\d{8,14}", fullmatch=True)
    | st.from_regex(r"https://[a-z]{3,9}\.[a-z]{3,9}/[a-z]{4,8}\?[a-z]{4,9}=[a-z]{4,9}", fullmatch=True)
    | st.from_regex(r"[a-z]{4,9}=[a-z]{4,9}|[\w.]{4,9}@[a-z]{3,9}\.com", fullmatch=True)
)
DOCUMENTS = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


def strings(value, field=""):
    """Yield every text of a document, names of fields too, with the field it stands in."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield "", name
            yield from strings(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one, field)
    elif isinstance(value, str):
        yield field, value


def is_known(field, text):
    """Whether a text is the service's own: in its field, or anywhere."""
    known = vocabulary()
    names = known.fields | known.routes | known.metadata_fields
    tokens = re.split(r"[^\w.-]+", text)
    return (
        is_literal(text)
        or text in names
        or text == DROPPED
        or known.keeps(field, text)
        or (field in known.text_fields and all(map(known.keeps_word, filter(None, tokens))))
    )


def shape(value):
    """A document with a mark in the place of each text and number."""
    if isinstance(value, dict):
        return [shape(one) for one in value.values()]
    if isinstance(value, list):
        return [shape(one) for one in value]
    return value if isinstance(value, bool | None) else type(value).__name__


@given(DOCUMENTS)
@example({"tags": {"status": "ACTIVE", "owner": ["linda"]}, "metadata": {"status": "secretword", "os_type": "Linux"}})
@example({"addresses": {UUID: [{"addr": "10.1.2.3"}]}, "description": "ask wang wei, room 4711"})
@example({"error": {"message": "Server erp-db-0001 (10.1.2.3) of wangwei@corp.example.org is locked by finance."}})
def test_no_text_of_a_document_survives(document):
    """Whatever has four characters and is not the service's own word is nowhere in what is recorded."""
    made = MADE.document(document)

    left = {text for _field, text in strings(made)}
    survivors = {text for field, text in strings(document) if len(text) >= 4 and not is_known(field, text)} & left
    assert not survivors
    written = json.dumps(made)
    long = {text for field, text in strings(document) if len(text) >= 8 and not is_known(field, text)}
    assert not {text for text in long if json.dumps(text)[1:-1] in written}


@given(DOCUMENTS)
def test_the_shape_of_a_document_stays_unless_a_secret_is_dropped(document):
    """Objects, lists, numbers, true and false are where they were."""

    def without_secrets(value):
        if isinstance(value, dict):
            return {name: without_secrets(one) for name, one in value.items() if not is_secret(name)}
        return [without_secrets(one) for one in value] if isinstance(value, list) else value

    kept = without_secrets(document)

    assert shape(MADE.document(kept)) == shape(kept)


@given(TEXTS)
def test_equal_texts_have_one_pseudonym_in_every_place(text):
    """As a value, in a list, as a name, in a path and in a query alike; another key makes another one."""
    made = MADE.text(text)

    assert MADE.document({"name": text, "x": [text]}) == {"name": made, MADE.text("x"): [made]}
    assert MADE.document({"tags": {text: text}}).get("tags") in ({made: made}, {made: DROPPED}, {made: text})
    assert MADE.query([("name", text)]) == [["name", made]]
    assert is_literal(text) or OTHER.text(text) != made or not text.strip()


FORMS = {
    "a UUID": (UUID, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "a UUID in capitals": (UUID.upper(), r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"),
    "a project's id": ("7bdb61f821f0984142e7abf3890e41e6", r"[0-9a-f]{32}"),
    "an account's number": ("123456789012", r"\d{12}"),
    "a hardware address": ("fa:16:3e:00:37:11", r"02(:[0-9a-f]{2}){5}"),
    "a name": ("web", r"name-[0-9a-f]{12}"),
    "a numbered name": ("web-0001", r"name-[0-9a-f]{12}-0001"),
    "a volume's name": ("web-0001-volume-0002", r"name-[0-9a-f]{12}-0001-volume-0002"),
    "a tag": ("env=prod", r"name-[0-9a-f]{12}=name-[0-9a-f]{12}"),
    "two ids": (f"{UUID},{UUID}", r"([0-9a-f-]{36}),\1"),
    "a sub-project": ("cn-north-4_erp", r"cn-north-4_name-[0-9a-f]{12}"),
    "an address of the web": ("https://x.corp.net/v1/abc?q=secret", r"https://host-[0-9a-f]{12}\.example/v1/name-.+"),
    "a network": ("10.0.0.0/14", r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+/14"),
}


@pytest.mark.parametrize(("text", "form"), FORMS.values(), ids=FORMS)
def test_a_pseudonym_has_the_form_of_what_it_stands_for(text, form):
    """So that a replay reads what a cloud could have said."""
    assert re.fullmatch(form, MADE.text(text))


@given(st.ip_addresses())
def test_addresses_become_addresses_for_documentation(address):
    """Version 4 in the three networks of RFC 5737, version 6 below 2001:db8::/32."""
    made = ipaddress.ip_address(MADE.text(str(address)))

    networks = DOCUMENTATION if address.version == 4 else [ipaddress.ip_network("2001:db8::/32")]
    assert any(made in network for network in networks)


def test_names_that_begin_alike_still_do():
    """What the service and the planner put behind a prefix stays behind its pseudonym."""
    base = MADE.text("erp")

    assert [MADE.text(f"erp{mark}") for mark in ("-001", "-001-0001", "-001-0002")] == [
        f"{base}-001", f"{base}-001-0001", f"{base}-001-0002"
    ]  # fmt: skip


def test_spellings_of_an_id_keep_together():
    """Capitals and missing hyphens are the same id before and after."""
    assert MADE.text(UUID.upper()).lower() == MADE.text(UUID)
    assert MADE.text(UUID.replace("-", "")) == MADE.text(UUID).replace("-", "")


SECRETS = [
    "password", "adminPass", "admin_pass", "user_data", "OS-EXT-SRV-ATTR:user_data", "secret_key", "SecretKey", "token",
    "security_token", "X-Auth-Token", "Authorization", "Signature", "cookie", "Set-Cookie", "access", "private_key",
    "public_key", "db_password", "encoded_authorization_message",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRETS)
def test_what_stands_under_a_secret_name_is_dropped(name):
    """In a body at any depth and in a query; a number, a text or a list of them."""
    document = {"server": {name: "hunter2hunter2"}, "list": [{name: ["hunter2", 4711]}, {name: 12345678}]}

    assert "hunter2" not in json.dumps(MADE.document(document))
    assert "12345678" not in json.dumps(MADE.document(document))
    assert MADE.query([(name, "hunter2")])[0][1] == DROPPED


def test_numbers_stay_where_they_are_small():
    """Sizes, counts and times in seconds; what may be a telephone or an account becomes another of as many digits."""
    kept = [0, -1, 4096, 2147483647, 1_900_000_000, 1.5, True, None]

    assert MADE.document(kept) == kept
    (made,) = MADE.document([8613800138000])
    assert made != 8613800138000
    assert len(str(made)) == 13


def test_an_error_keeps_the_words_of_the_service():
    """Its code and its sentence say what was wrong; who it was about does not stay, but the reference does."""
    made = MADE.document(
        {"error": {"code": "SDRS.1305", "message": f"The server db-03 ({UUID}) is already protected."}}
    )

    assert made["error"]["code"] == "SDRS.1305"
    assert made["error"]["message"] == (
        f"The server {MADE.text('db-03')} ({MADE.text(UUID)}) is already protected."
    )  # fmt: skip


def test_the_gateways_limit_can_still_be_read():
    """The sentence from which the pace is learnt."""
    said = "policy user over ratelimit,limit:20,time:1 minute"

    assert MADE.value("message", said) == said
