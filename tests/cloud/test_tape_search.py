"""The check of a tape: every spelling of a word is found, its place is told, and the word never."""

import base64
import html
import json
from urllib.parse import quote

import pytest

from sdrs_nb.cloud.tape import tape_key
from sdrs_nb.cloud.tape_search import leaks, words_of
from sdrs_nb.errors import SettingsError
from tests.builders_cloud import ACCESS, PROJECT, PlayedCloud
from tests.tapes import FOLDER

WORD = "Großer-Kunde/7 & Söhne"
RAW = WORD.encode()
SPELLINGS = {
    "as it is": WORD,
    "small letters": WORD.lower(),
    "capitals": WORD.upper(),
    "JSON": json.dumps(WORD),
    "every sign escaped": "".join(f"\\u{ord(sign):04x}" for sign in WORD),
    "URL": quote(WORD, safe=""),
    "URL, small letters": quote(WORD, safe="").lower(),
    "URL, every sign": "".join(f"%{sign:02X}" for sign in RAW),
    "HTML": html.escape(WORD),
    "HTML numbers": "".join(f"&#{ord(sign)};" for sign in WORD),
    "hex": RAW.hex(),
    "hex, capitals": RAW.hex().upper(),
    "reversed": WORD[::-1],
    **{f"base64 after {n}": base64.b64encode(b"x" * n + RAW + b"yz").decode() for n in range(3)},
    **{f"base64 for addresses after {n}": base64.urlsafe_b64encode(b"x" * n + RAW + b"yz").decode() for n in range(3)},
}


def a_tape(folder, planted):
    """A kept tape with a text in its fourth line."""
    lines = (FOLDER / "load" / "load.tape.jsonl").read_text().splitlines()
    lines[3] = lines[3].replace('"description":""', f'"description":"{planted}"', 1)
    assert planted in lines[3]
    (folder / "t.tape.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_a_word_is_found_in_every_spelling(tmp_path, spelled):
    """Its line is told."""
    found = leaks(a_tape(tmp_path, spelled), words_of(None, WORD))

    assert {(one.line, one.what) for one in found} == {(4, "word 1")}
    assert WORD not in repr(found)


SHAPES = {
    "an access key": ("AKIA0SDRSDEMO1234567", "access key"),
    "a secret key": ("aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5kLx2", "secret key"),
    "a token": ("MII" + "Qx9" * 40, "token"),
    "a web token": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "token"),
    "a signature": ("SDK-HMAC-SHA256 Access=x, Signature=0123456789abcdef0123", "signature"),
    "a private key": ("-----BEGIN RSA PRIVATE KEY-----", "private key"),
    "a public key": ("ssh-rsa AAAAB3NzaC1yc2E", "private key"),
    "a mail address": ("wang.wei@corp.example.org", "mail address"),
    "an address": ("10.1.2.3", "IP address"),
    "a public address": ("114.116.2.30", "IP address"),
}


@pytest.mark.parametrize(("planted", "what"), SHAPES.values(), ids=SHAPES)
def test_shapes_of_secrets_and_addresses_are_found(tmp_path, planted, what):
    """Whosever they are."""
    assert (4, what) in {(one.line, one.what) for one in leaks(a_tape(tmp_path, planted), {})}


@pytest.mark.parametrize("name", ["load", "run", "refusal"])
def test_kept_tapes_hold_nothing_of_the_sandbox_or_its_shapes(name):
    """Names of its estate, none of which is the service's own."""
    words = "web-job\nerp-app\nKeyPair-ops\nsubnet-erp-app\npg-lab\n财务\n10.12.0.11\n7bdb61f821f0984142e7abf3890e41e6"

    assert leaks(FOLDER / name, words_of(None, words)) == []


def test_short_words_and_those_of_hex_signs_count_as_whole_words(tmp_path):
    """Pseudonyms are full of two letters; a server that is called so is found none the less."""
    assert not leaks(a_tape(tmp_path, "nothing"), words_of(None, "db\nab\nfade"))
    assert {one.what for one in leaks(a_tape(tmp_path, "on db, fade"), words_of(None, "db\nab\nfade"))} == {
        "word 1",
        "word 3",
    }


def test_credentials_and_names_of_the_settings_are_looked_for(tmp_path):
    """And the key of the pseudonyms; what they are is told by the name of the setting."""
    settings = PlayedCloud({}).connect(project_id=PROJECT, domain="my-account").settings
    words = words_of(settings) | {tape_key().hex(): "key"}

    for planted, what in ((ACCESS["secret_key"], "credential"), (PROJECT, "project_id"), ("my-account", "domain")):
        (found, *_more) = leaks(a_tape(tmp_path, planted), words)
        assert what in found.what
    assert tape_key().hex() in words_of(None)


def test_a_folder_without_a_tape_proves_nothing(tmp_path):
    """It is refused, not passed."""
    with pytest.raises(SettingsError):
        leaks(tmp_path, {})
