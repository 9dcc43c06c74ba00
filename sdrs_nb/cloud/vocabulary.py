"""The service's own words, which a tape keeps: fields, statuses, types, codes, flavors, public regions, times.

Everything that is not known here counts as the operator's.  The lists are in ``vocabulary.toml``.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Vocabulary", "is_literal", "is_secret", "vocabulary"]

#: One word as the service writes its own: letters, parted by hyphens or underscores.
_WORD = re.compile(r"[A-Za-z]{1,32}(?:[_-][A-Za-z]{1,16}){0,4}|[a-z]{1,14}\d{1,2}[a-z]{0,3}", re.ASCII)
#: Also ``number:size:kind``, as the disks of a flavor are written.
_NUMBER = re.compile(r"-?\d{1,7}(?:\.\d{1,3})?(?::\d{1,7}(?::[a-z]{1,6})?)?", re.ASCII)
#: Where a code of any service of the family stands.
_CODES = frozenset({"code", "error_code", "errorCode"})
_CODE = re.compile(r"[A-Za-z]{2,16}\.\d{3,5}", re.ASCII)
_SHORT_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
#: Texts that say nothing of anybody wherever they stand.
_LITERAL = re.compile(
    r"|\d|true|false|True|False|null|none|None|-1"
    # Regions and AZs of the public clouds and of the sandbox, which decide whose rules hold.
    r"|(?:af|ap|cn|eu|la|me|my|na|ru|sa|tr)-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)"
    r"(?:-\d{1,3}|\d{0,3})[a-h]?|eu-(?:de|nl|ch2)(?:-\d{2})?|sandbox-1[a-h]?"
    # Public flavors and types of volumes.
    r"|[a-z]{1,4}\d{1,2}[a-z]{0,3}\.(?:small|medium|large|\d{0,2}xlarge)\.\d{1,2}(?:\.linux|\.windows)?"
    r"|SAS|SATA|SSD|ESSD|ESSD2|GPSSD|GPSSD2|DESS|x86_64|arm64"
    # Codes of errors, devices, media types, times.
    r"|(?:SDRS|APIGW|APIG|IAM|Ecs|ECS|EVS|VPC|KPS|DeH|DEH|DSS|AS|EPS|Common)\.\d{3,5}"
    r"|/dev/[a-z]{2,4}\d{0,3}|application/json|text/html|text/plain"
    r"|\d{4}-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d:[0-6]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|_sys_enterprise_project_id|__type_[a-z]{1,20}",
    re.ASCII,
)
_SECRET = re.compile(
    r"pass(?:word|wd|phrase)?|adminpass|pwd|secret|secretkey|accesskey|privatekey|publickey|ak|sk|access|token"
    r"|securitytoken|signature|credential|authorization|cookie|setcookie|userdata|personality|apikey|sessionid"
    r"|xauthtoken|xsubjecttoken|xsecuritytoken|encodedauthorizationmessage",
)
#: Parts of a field's name that make it a secret's, whatever stands before and after.
_SECRET_PARTS = ("password", "passwd", "secret", "privatekey", "accesskey", "securitytoken", "authtoken", "userdata")


def is_literal(text: str) -> bool:
    """Tell whether a text is the service's, whatever field it stands in."""
    return _LITERAL.fullmatch(text) is not None


def is_secret(field: str) -> bool:
    """Tell whether what stands under this name is a secret: dropped, not replaced."""
    plain = re.sub(r"[^a-z]", "", field.rpartition(":")[2].lower())
    return _SECRET.fullmatch(plain) is not None or any(part in plain for part in _SECRET_PARTS)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is known of requests and answers, as in ``vocabulary.toml``."""

    fields: frozenset[str]
    metadata_fields: frozenset[str]
    word_fields: frozenset[str]
    number_fields: frozenset[str]
    text_fields: frozenset[str]
    words: frozenset[str]
    routes: frozenset[str]

    def keeps(self, field: str, text: str) -> bool:
        """Tell whether the text of a field is the service's own word or number."""
        if field in self.word_fields:
            return _WORD.fullmatch(text) is not None
        if field in _CODES and _CODE.fullmatch(text):
            return True
        return field in self.number_fields and _NUMBER.fullmatch(text) is not None

    def keeps_word(self, token: str) -> bool:
        """Tell whether a word of a sentence stays: the service's, or a number of up to three digits."""
        return token.lower() in self.words or is_literal(token) or _SHORT_NUMBER.fullmatch(token) is not None


@cache
def vocabulary() -> Vocabulary:
    """Return the lists of the package."""
    lists = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))
    return Vocabulary(**{name: frozenset(text.split()) for name, text in lists.items()})
