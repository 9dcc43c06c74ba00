"""What other clients take from environment and files, and what is said of the rest."""

import codecs
import re
from pathlib import Path

import pytest

from sdrs_nb.credential_names import CLOUDS_YAML, CREDENTIALS_FILE, VARIABLES, is_telling
from sdrs_nb.credential_search import region_of_project
from sdrs_nb.errors import SettingsError
from sdrs_nb.settings import resolve

DATA = Path(__file__).parent / "data" / "clouds"
PACKAGE = Path(__file__).parent.parent / "sdrs_nb"
OTC_KEY = "{auth_url: https://iam.eu-de.otc.t-systems.com/v3, ak: AKX, sk: SKX}"


@pytest.fixture
def find(tmp_path):
    """Return a function that resolves variables, files and arguments in folders of its own."""

    def resolved(clouds=None, environ=None, credentials=None, **arguments):
        if clouds is not None:
            (tmp_path / "clouds.yaml").write_bytes(clouds if isinstance(clouds, bytes) else clouds.encode())
        if credentials is not None:
            (tmp_path / ".huaweicloud").mkdir(exist_ok=True)
            (tmp_path / ".huaweicloud" / "credentials").write_bytes(credentials)
        return resolve(arguments, environ=environ or {}, home=tmp_path, folder=tmp_path)

    resolved.folder = tmp_path
    return resolved


def secret(value):
    """Return what a secret holds, None for none."""
    return value.get_secret_value() if value is not None else None


@pytest.mark.parametrize(
    ("file", "kind", "project", "unused"),
    [
        ("tenant_password", "password", "eu-de_erp", ()),
        ("tenant_key", "access key", "eu-de_erp", ()),
        ("temporary_key", "access key", "eu-de_erp", ()),
        ("vendor_profile", "access key", "eu-de_erp", ("password", "user_domain_name", "username")),
    ],
)
def test_a_clouds_yaml_of_other_clients_reaches_their_cloud_and_project(find, file, kind, project, unused):
    """Region and cloud host as openstacksdk would have them, the project by either name; the rest is said."""
    found = find((DATA / f"{file}.yaml").read_bytes())

    assert (found.region, found.cloud_host, found.endpoints) == ("eu-de", "otc.t-systems.com", {})
    assert (found.kind, found.project_name, found.site.profile) == (kind, project, "otc")
    assert tuple(sorted(place.rpartition(", ")[2] for place in found.unused)) == unused


def test_the_security_token_of_a_clouds_yaml_is_taken_with_its_key(find):
    """Temporary keys are refused without it."""
    found = find((DATA / "temporary_key.yaml").read_bytes())

    assert (found.access_key, secret(found.security_token)) == ("TMPAK", "TMPTOK")


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE], ids=["8", "16l", "16b"])
def test_a_byte_order_mark_is_no_part_of_a_file(find, mark):
    """Notepad writes one, in three ways."""
    encoding = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le"}.get(mark, "utf-16-be")
    credentials = mark + "[basic]\r\nak = AK1\r\nsk = SK1\r\n".encode(encoding)

    assert find(credentials=credentials, region="r-1").access_key == "AK1"
    assert find(mark + f"clouds: {{a: {OTC_KEY}}}".encode(encoding)).access_key == "AKX"


def test_a_credentials_file_with_a_byte_order_mark_is_read(find):
    """As it was handed in."""
    assert find(credentials=(DATA / "bom_credentials").read_bytes(), region="r-1").access_key == "AK1"


def _table(families):
    return [
        pytest.param(family, name, spelling, id=f"{family} {spelling}")
        for family, names in families.items()
        for name, spellings in names.items()
        for spelling in spellings
        if name not in {"endpoint", "auth_url", "ca_file"}
    ]


def _set_with(names, name, spelling):
    """Return a complete set of credentials in the spellings of ``names``, ``name`` among it as ``spelling``."""
    login = name in {"user", "password", "domain", "domain_id"} and "user" in names
    parts = ("token",) if name == "token" else ("user", "password") if login else ("access_key", "secret_key")
    held = {names[part][0]: f"{part}-value" for part in parts if part != name}
    if login and name not in {"domain", "domain_id"}:
        held[names["domain"][0]] = "account"
    return held | {spelling: _value(name)}


def _value(name):
    return f"{name.replace('_', '-')}-value"


def _shown(found, name):
    value = getattr(found, name)
    return value if isinstance(value, str) else secret(value)


@pytest.mark.parametrize(("family", "name", "spelling"), _table(VARIABLES))
def test_every_variable_of_every_family_is_taken(find, family, name, spelling):
    """Whatever a client of the vendor or of OpenStack reads there is used, under each of its names."""
    names = VARIABLES[family]
    environ = _set_with(names, name, spelling)
    region = {} if name == "region" else {"region": "r-1"}

    assert _shown(find(environ=environ, **region), name) == _value(name)


@pytest.mark.parametrize(("name", "spelling"), [each.values[1:] for each in _table({"": CLOUDS_YAML})])
@pytest.mark.parametrize("inside", [True, False], ids=["in auth", "beside it"])
def test_every_key_of_a_cloud_is_taken(find, name, spelling, inside):
    """Inside ``auth`` or beside it, with a hyphen or an underscore."""
    held = {key.replace("_", "-"): value for key, value in _set_with(CLOUDS_YAML, name, spelling).items()}
    region = {} if name == "region" else {"region": "r-1"}

    found = find(f"clouds: {{a: {f'{{auth: {held}}}' if inside else held}}}", **region)

    assert _shown(found, name) == _value(name)


@pytest.mark.parametrize(("name", "spelling"), [each.values[1:] for each in _table({"": CREDENTIALS_FILE})])
def test_every_key_of_the_credentials_file_is_taken(find, name, spelling):
    """As the vendor's SDK writes them."""
    lines = [f"{key} = {value}" for key, value in _set_with(CREDENTIALS_FILE, name, spelling).items()]

    assert _shown(find(credentials="\n".join(["[basic]", *lines]).encode(), region="r-1"), name) == _value(name)


@pytest.mark.parametrize(
    ("entry", "region", "cloud_host", "iam"),
    [
        ("profile: otc", "eu-de", "otc.t-systems.com", None),
        ("cloud: otc", "eu-de", "otc.t-systems.com", None),
        ("profile: otc, region_name: eu-nl", "eu-nl", "otc.t-systems.com", None),
        ("profile: otc, tenant_name: eu-nl_erp", "eu-nl", "otc.t-systems.com", None),
        ("profile: otc-swiss", "eu-ch2", "sc.otc.t-systems.com", "https://iam-pub.eu-ch2.sc.otc.t-systems.com"),
        ("profile: ours", "x-1", "corp.example", None),
        ("auth_url: 'https://iam.myhuaweicloud.eu/v3', region_name: eu-west-101", "eu-west-101", "myhuaweicloud.eu",
         "https://iam.myhuaweicloud.eu"),
        ("auth_url: 'https://iam.eu-de.otc.t-systems.com', project_name: eu-nl", "eu-nl", "otc.t-systems.com", None),
        ("auth_url: 'https://iam.x-1.corp.example:8443', region_name: x-1", "x-1", "corp.example",
         "https://iam.x-1.corp.example:8443"),
        ("profile: otc, regions: [eu-nl]", "eu-nl", "otc.t-systems.com", None),
    ],
)  # fmt: skip
def test_a_vendor_profile_or_iams_address_tells_the_cloud(find, entry, region, cloud_host, iam):
    """The nearest word counts: a named region, the project's, that of IAM's address, the profile's first."""
    public = "public-clouds: {ours: {auth: {auth_url: 'https://iam.%(region_name)s.corp.example'}, regions: [x-1]}}"
    (find.folder / "clouds-public.yaml").write_text(public, encoding="utf-8")

    found = find(f"clouds: {{a: {{ak: A, sk: S, {entry}}}}}")

    assert (found.region, found.cloud_host, found.endpoints.get("iam")) == (region, cloud_host, iam)


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("cn-north-4_erp", "cn-north-4"), ("cn-north-4", "cn-north-4"), ("eu-de_a_b", "eu-de"), ("eu-ch2", "eu-ch2"),
        ("eu-west-101_x", "eu-west-101"), ("erp", None), ("erp-prod", None), ("my-erp-4x", None), (None, None),
    ],
)  # fmt: skip
def test_a_projects_name_tells_its_region(name, region):
    """A project is called like its region, a sub-project has a name behind it; another name tells nothing."""
    assert region_of_project(name) == region


def test_a_project_is_a_project_of_its_region_where_none_is_given(find):
    """Whatever family of variables named it; one of other credentials does not count."""
    environ = {"OS_ACCESS_KEY": "A", "OS_SECRET_KEY": "S", "OS_TENANT_NAME": "cn-north-4_erp"}

    found = find(environ=environ | {"HW_REGION_NAME": "cn-east-3"})

    assert (found.region, found.project_name) == ("cn-north-4", "cn-north-4_erp")
    assert found.found_in["region"] == "OS_TENANT_NAME"
    assert found.unused == {"HW_REGION_NAME": "OS_TENANT_NAME comes first"}


def test_a_project_of_another_region_than_the_named_one_is_refused(find):
    """Calls would go to a region where the project does not exist."""
    with pytest.raises(SettingsError, match=r"cn-north-4_erp \(HW_PROJECT_NAME\) lies in region cn-north-4, but "):
        find(environ={"HW_ACCESS_KEY": "A", "HW_SECRET_KEY": "S", "HW_PROJECT_NAME": "cn-north-4_erp"}, region="eu-de")


def test_a_projects_name_that_was_said_here_beats_an_id_of_the_file(find):
    """The nearer word wins, also where one is a name and the other an id; what lost is said."""
    found = find(f"clouds: {{a: {{auth: {OTC_KEY}, project_id: p-file}}}}", project_name="eu-de_other")

    assert (found.project_id, found.project_name) == (None, "eu-de_other")
    assert list(found.unused.values()) == ["arguments comes first"]


def test_the_cloud_host_of_other_credentials_does_not_move_these(find):
    """A leftover variable of another cloud must not send a key there."""
    found = find(f"clouds: {{a: {{auth: {OTC_KEY}}}}}", environ={"HW_CLOUD": "myhuaweicloud.com"})

    assert found.cloud_host == "otc.t-systems.com"
    assert "HW_CLOUD" in found.unused


def test_a_cloud_that_is_named_goes_before_openstack_variables(find):
    """As in OpenStack's own tools; what those hold is said not to be used."""
    environ = {"OS_CLOUD": "a", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_USER_DOMAIN_NAME": "d"}

    found = find(f"clouds: {{a: {{auth: {OTC_KEY}}}}}", environ)

    assert found.access_key == "AKX"
    assert {"OS_USERNAME", "OS_PASSWORD", "OS_USER_DOMAIN_NAME"} == set(found.unused)


@pytest.mark.parametrize(
    ("environ", "unused"),
    [
        ({"HW_USER_ID": "u9"}, {"HW_USER_ID": "not known here"}),
        ({"OS_ACCESS_KEY": "B", "OS_SECRET_KEY": "T"}, {
            "OS_ACCESS_KEY": "the credentials of HW_* are used", "OS_SECRET_KEY": "the credentials of HW_* are used"}),
        ({"HW_USER_NAME": "u", "HW_USER_PASSWORD": "p"}, {
            "HW_USER_NAME": "in use: HW_ACCESS_KEY, HW_SECRET_KEY",
            "HW_USER_PASSWORD": "in use: HW_ACCESS_KEY, HW_SECRET_KEY"}),
        ({"OS_SECURITY_TOKEN": "t"}, {"OS_SECURITY_TOKEN": "the credentials of HW_* are used"}),
        ({"OS_PROJECT_NAME": "x"}, {
            "OS_PROJECT_NAME": "it may belong to another account than the credentials of HW_*"}),
        ({"HW_PROJECT_NAME": "n", "OS_PROJECT_NAME": "n"}, {}),
        ({"HW_REGION": "r-2", "HW_REGION_NAME": "r-3"}, {
            "HW_REGION": "HW_REGION_NAME comes first", "HW_REGION_NAME": "arguments comes first"}),
        ({"HW_ASSUME_ROLE_AGENCY_NAME": "g"}, {"HW_ASSUME_ROLE_AGENCY_NAME": "not known here"}),
        ({"SDRS_NB_REGON": "r-2"}, {"SDRS_NB_REGON": "not known here"}),
        ({"OS_CLOUD": "nowhere"}, {"OS_CLOUD": "complete credentials come first"}),
        ({"HW_DOMAIN_NAME": "d"}, {"HW_DOMAIN_NAME": "only a user and a password need it"}),
        ({"OS_INTERFACE": "public", "OS_IDENTITY_API_VERSION": "3", "OS_NAME": "linux", "HW_HOME": "/"}, {}),
        ({"SDRS_NB_ENDPOINT": "https://gw.example", "HW_AUTH_URL": "https://iam.eu-de.otc.t-systems.com"}, {
            "HW_AUTH_URL": "SDRS_NB_ENDPOINT comes first"}),
    ],
)  # fmt: skip
def test_what_was_found_and_is_not_used_is_said_with_the_reason(find, environ, unused):
    """By the place where it stands, never by its value; what says the same as is used is no news."""
    found = find(environ={"HW_ACCESS_KEY": "A", "HW_SECRET_KEY": "S", **environ}, region="r-1")

    assert found.unused == unused


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("profile: nowhere", "profile"),
        ("application_credential_id: x", "application_credential_id"),
        ("verify: false", "verify"),
        ("identity_endpoint_override: 'https://x'", "identity_endpoint_override"),
    ],
)
def test_a_key_of_a_cloud_that_nothing_reads_is_said(find, entry, place):
    """Also a vendor profile that is not known."""
    found = find(f"clouds: {{a: {{auth: {OTC_KEY}, interface: public, volume_api_version: 3, {entry}}}}}")

    assert list(found.unused) == [f"{find.folder / 'clouds.yaml'}, cloud a, {place}"]


def test_nothing_complete_names_what_was_found_and_not_used(find):
    """An application credential is no key, and the message says so; no value shows."""
    entry = "clouds: {a: {auth: {application_credential_id: APPID, application_credential_secret: APPSECRET}}}"

    with pytest.raises(SettingsError, match="No credentials were found") as caught:
        find(entry, {"OS_SECURITY_TOKEN": "TOK", "HW_USER_ID": "UID"}, credentials=b"[global]\nak = GAK\nsk = GSK\n")

    message = str(caught.value)
    for told in ("application_credential_id: not known here", "only OS_SECURITY_TOKEN", "HW_USER_ID: not known here",
                 "[global]: only profile= names it"):  # fmt: skip
        assert told in message
    assert not [value for value in ("APPID", "APPSECRET", "TOK,", "UID ", "GAK", "GSK") if value in message]


def test_unused_values_never_show(find):
    """Neither in the settings' repr nor in the reasons."""
    environ = {"HW_ACCESS_KEY": "A", "HW_SECRET_KEY": "S", "OS_TOKEN": "PRIVATE", "HW_USER_PASSWORD": "PRIVATE"}

    assert "PRIVATE" not in f"{find(environ=environ, region='r-1')!r}"


def test_no_variable_that_the_package_reads_is_called_unknown():
    """A name that some module of ours looks for is not said to be unread."""
    named = {
        name for path in PACKAGE.rglob("*.py") for name in re.findall("SDRS_NB_[A-Z_]+[A-Z]", path.read_text("utf-8"))
    }
    known = {name for names in VARIABLES["SDRS_NB_*"].values() for name in names}

    assert [name for name in named - known if is_telling(name, "x")] == []


@pytest.mark.parametrize("auth_url", ["https://[::1", "https://iam.eu-de.otc.t-systems.com:port", "nonsense"])
def test_an_address_of_iam_that_is_none_is_one_sentence(find, auth_url):
    """Whatever stands there, no traceback."""
    environ = {"HW_ACCESS_KEY": "A", "HW_SECRET_KEY": "S", "HW_AUTH_URL": auth_url}

    if auth_url == "nonsense":
        assert find(environ=environ, region="r-1").endpoints == {"iam": "https://nonsense"}
    else:
        with pytest.raises(SettingsError, match=r"not an address|not acceptable"):
            find(environ=environ, region="r-1")
