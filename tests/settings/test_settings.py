import json
from pathlib import Path

import pytest

from sdrs_nb.cloud import connect
from sdrs_nb.errors import SettingsError
from sdrs_nb.settings import is_loopback, resolve

KEY = {"access_key": "AK", "secret_key": "SK"}
ENVIRONMENTS = {
    "ours": {"SDRS_NB_ACCESS_KEY": "ours", "SDRS_NB_SECRET_KEY": "s"},
    "sdk": {"HUAWEICLOUD_SDK_AK": "sdk", "HUAWEICLOUD_SDK_SK": "s"},
    "terraform": {"HW_ACCESS_KEY": "terraform", "HW_SECRET_KEY": "s"},
    "openstack": {"OS_ACCESS_KEY": "openstack", "OS_SECRET_KEY": "s"},
}
CLOUDS = """
clouds:
  otc:
    auth: {auth_url: "https://iam.eu-de.otc.t-systems.com/v3", username: op, user_domain_name: acc}
    project_name: eu-de_dr
  other:
    auth: {auth_url: "https://iam.eu-nl.otc.t-systems.com/v3", username: op2, password: p2, user_domain_name: acc}
"""
SECURE = "clouds: {otc: {auth: {password: 'secret one'}}}"
CREDENTIALS = "[basic]\nak = file\nsk = 100%s\nproject_id = p-file\n[second]\nak = two\nsk = s\n"


@pytest.fixture
def find(tmp_path):
    """Return a function that resolves arguments and variables with a home folder of its own."""
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()

    def resolved(arguments=None, environ=None, profile=None, region="r-1"):
        named = {"region": region, **(arguments or {})}
        return resolve(named, environ=environ or {}, home=home, folder=folder, profile=profile)

    resolved.home, resolved.folder = home, folder
    return resolved


def put(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_arguments_win_over_everything(find):
    """What the caller names is what counts."""
    environ = {name: value for family in ENVIRONMENTS.values() for name, value in family.items()}

    assert find(KEY, environ).access_key.get_secret_value() == "AK"


def test_the_environment_is_searched_in_the_stated_order(find):
    """Ours, the SDK's, Terraform's, OpenStack's: each wins over those after it."""
    remaining = dict(ENVIRONMENTS)
    for family in ENVIRONMENTS:
        environ = {name: value for names in remaining.values() for name, value in names.items()}

        assert find({}, environ).access_key.get_secret_value() == family

        del remaining[family]


def test_the_credentials_file_of_the_sdk_comes_last(find):
    """Section basic of ~/.huaweicloud/credentials; a percent sign is no interpolation."""
    put(find.home / ".huaweicloud" / "credentials", CREDENTIALS)

    found = find()

    assert (found.access_key.get_secret_value(), found.project_id) == ("file", "p-file")
    assert found.secret_key.get_secret_value() == "100%s"
    assert found.found_in["access_key"].endswith("credentials [basic], ak")


def test_the_credentials_file_can_be_moved(find, tmp_path):
    """By the SDK's own variable."""
    put(tmp_path / "elsewhere", CREDENTIALS)

    assert (
        find({}, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(tmp_path / "elsewhere")}).access_key.get_secret_value()
        == "file"
    )


def test_a_cloud_of_clouds_yaml_is_taken_with_its_secret(find):
    """The password comes from secure.yaml, region and cloud host from the address of IAM."""
    put(find.folder / "clouds.yaml", CLOUDS)
    put(find.folder / "secure.yaml", SECURE)

    found = find({}, {"OS_CLOUD": "otc"}, region=None)

    assert (found.user, found.domain, found.project_name) == ("op", "acc", "eu-de_dr")
    assert (found.region, found.cloud_host, found.endpoints) == ("eu-de", "otc.t-systems.com", {})
    assert found.password.get_secret_value() == "secret one"


def test_several_clouds_and_none_named_is_said(find):
    """The operator is told that OS_CLOUD is missing."""
    put(find.home / ".config" / "openstack" / "clouds.yaml", CLOUDS)

    with pytest.raises(SettingsError, match="several clouds, OS_CLOUD names none"):
        find()


@pytest.mark.parametrize(("profile", "name"), [("other", "op2"), ("second", "two")])
def test_a_profile_is_an_entry_of_either_file_and_beats_the_environment(find, profile, name):
    """Naming a profile is an explicit choice."""
    put(find.folder / "clouds.yaml", CLOUDS)
    put(find.home / ".huaweicloud" / "credentials", CREDENTIALS)

    found = find({}, ENVIRONMENTS["ours"], profile=profile)

    assert name == (found.user or found.access_key.get_secret_value())


@pytest.mark.parametrize(
    ("named", "profile", "host"),
    [
        ({"region": "cn-north-4"}, "huaweicloud", "myhuaweicloud.com"),
        ({"region": "eu-de", "cloud_host": "otc.t-systems.com"}, "otc", "otc.t-systems.com"),
        ({"endpoint": "https://sdrs.eu-de.otc.t-systems.com"}, "otc", "sdrs.eu-de.otc.t-systems.com"),
        ({"endpoint": "http://127.0.0.1:9", "cloud_host": "otc.t-systems.com"}, "otc", "otc.t-systems.com"),
        ({"endpoint": "http://127.0.0.1:9"}, "huaweicloud", "127.0.0.1"),
        ({"endpoint": "https://gateway.corp", "region": "eu-nl"}, "otc", "gateway.corp"),
        ({"endpoints": {"sdrs": "https://sdrs.eu-de.otc.t-systems.com"}}, "otc", "sdrs.eu-de.otc.t-systems.com"),
        ({"endpoints": {"iam": "https://iam-pub.eu-ch2.sc.otc.t-systems.com"}}, "otc", None),
        ({"endpoints": {"evs": "https://mirror.corp"}}, "huaweicloud", "myhuaweicloud.com"),
    ],
)
def test_the_site_is_told_by_what_is_talked_to(find, named, profile, host):
    """Origins first, then the cloud's host where it was named or is where calls go, then the region."""
    site = find({**KEY, **named}, region=named.get("region", "r-1")).site

    assert site.profile == profile
    assert host in (site.host, None)


def test_an_unknown_profile_is_answered_with_the_known_ones(find):
    """Both files' entries are listed."""
    put(find.folder / "clouds.yaml", CLOUDS)
    put(find.home / ".huaweicloud" / "credentials", CREDENTIALS)

    with pytest.raises(SettingsError, match=r"no profile of the name given .* hold: basic, otc, other, second"):
        find(profile="nope")


def test_a_project_of_another_account_is_not_borrowed(find):
    """The project comes from where the credentials are; the region may come from anywhere."""
    environ = {**ENVIRONMENTS["sdk"], "OS_PROJECT_ID": "foreign", "OS_REGION_NAME": "r-9"}

    found = find({}, environ, region=None)

    assert (found.project_id, found.region) == (None, "r-9")


def test_our_own_variables_name_the_project_of_any_credentials(find):
    """SDRS_NB_PROJECT_ID is said to this package, wherever the keys are."""
    assert find(KEY, {"SDRS_NB_PROJECT_ID": "p"}).project_id == "p"


def test_a_password_can_be_given_for_a_user_of_the_environment(find):
    """A password typed at a prompt need not stand in a file."""
    found = find({"password": " typed "}, {"HW_USER_NAME": "op", "HW_DOMAIN_NAME": "acc"})

    assert (found.user, found.domain, found.password.get_secret_value()) == ("op", "acc", " typed ")


def test_half_a_key_does_not_hide_a_whole_login(find):
    """An access key without its secret is passed over, and not used."""
    environ = {"HW_ACCESS_KEY": "half", "HW_USER_NAME": "op", "HW_USER_PASSWORD": "p", "HW_DOMAIN_NAME": "acc"}

    found = find({}, environ)

    assert (found.kind, found.access_key) == ("password", None)


def test_blanks_around_a_key_are_dropped(find):
    """They come from copying."""
    assert find({"access_key": " AK\n", "secret_key": "SK\n"}).access_key.get_secret_value() == "AK"


def test_nothing_found_lists_where_was_looked_and_what_to_set(find):
    """Every place is named, a half-filled one with what it holds, and no value shows."""
    with pytest.raises(SettingsError) as caught:
        find({}, {"HW_ACCESS_KEY": "half-a-key"})

    message = str(caught.value)
    for place in ("arguments", "SDRS_NB_*", "HUAWEICLOUD_SDK_*", "HW_* (only HW_ACCESS_KEY)", "OS_*", "clouds.yaml"):
        assert place in message
    assert "Set SDRS_NB_ACCESS_KEY and SDRS_NB_SECRET_KEY" in message
    assert "half-a-key" not in message


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param({"access_key": "a"}, "belong together", id="key without secret"),
        pytest.param({"user": "u", "password": "p"}, "SDRS_NB_DOMAIN", id="no account"),
        pytest.param({**KEY, "endpoint": "sdrs.example"}, "not an address", id="no scheme"),
        pytest.param({**KEY, "endpoint": "https://h/v1/p"}, "not an address", id="endpoint with a path"),
        pytest.param({**KEY, "endpoint": "http://bad host"}, "not an address", id="blank in the host"),
        pytest.param({**KEY, "endpoint": "http://u:SK@host"}, "endpoint given as endpoint", id="login in the endpoint"),
        pytest.param({**KEY, "endpoints": {"iam": "ftp://h"}}, "endpoint given as iam", id="endpoint of a service"),
        pytest.param({**KEY, "region": "r.evil.example/"}, "region", id="region that is no name"),
        pytest.param({**KEY, "page_size": 1001}, "page_size", id="page too large"),
        pytest.param({**KEY, "page_size": 0}, "page_size", id="page of nothing"),
        pytest.param({**KEY, "attempts": 0}, "attempts", id="no attempt"),
        pytest.param({**KEY, "timeout_s": -1.0}, "timeout_s", id="negative time"),
    ],
)
def test_what_is_not_acceptable_is_named(find, arguments, sentence):
    """One sentence names the setting; the secrets beside it do not show."""
    with pytest.raises(SettingsError, match=sentence) as caught:
        find(arguments)

    assert "SK" not in str(caught.value)


def test_no_region_and_no_endpoint_is_said(find):
    """Without either there is no host to call."""
    with pytest.raises(SettingsError, match="SDRS_NB_REGION"):
        find(KEY, region=None)


def test_an_endpoint_needs_no_region_with_a_key(find):
    """The project is looked up at the endpoint."""
    assert find({**KEY, "endpoint": "http://127.0.0.1:1"}, region=None).region is None


def test_limits_can_be_set_in_the_environment_and_overruled(find):
    """Numbers come as text there; an argument wins."""
    environ = {"SDRS_NB_PAGE_SIZE": "50", "SDRS_NB_ATTEMPTS": "2", "SDRS_NB_TIMEOUT_S": "7.5"}

    found = find({**KEY, "attempts": 3}, environ)

    assert (found.page_size, found.attempts, found.timeout_s) == (50, 3, 7.5)


@pytest.mark.parametrize(
    ("auth_url", "region", "cloud_host", "endpoints"),
    [
        ("https://iam.eu-de.otc.t-systems.com/v3", "r-1", "otc.t-systems.com", {}),
        ("https://iam.myhuaweicloud.com/v3", "r-1", "myhuaweicloud.com", {"iam": "https://iam.myhuaweicloud.com"}),
        ("https://10.0.0.1:5000/v3", "r-1", "myhuaweicloud.com", {"iam": "https://10.0.0.1:5000"}),
    ],
    ids=["regional", "global", "its own"],
)
def test_an_iam_address_tells_cloud_host_or_its_own_endpoint(find, auth_url, region, cloud_host, endpoints):
    """A regional address tells the cloud's hosts; a region that was named stays."""
    found = find({}, {**ENVIRONMENTS["terraform"], "HW_AUTH_URL": auth_url})

    assert (found.region, found.cloud_host, found.endpoints) == (region, cloud_host, endpoints)


@pytest.mark.parametrize("text", ["clouds: [", "\x00", "sk: !!python/object/apply:os.system ['true']"])
def test_a_broken_clouds_yaml_is_named_without_its_content(find, text):
    """The parser's own words would quote the line, which may be a password."""
    put(find.folder / "clouds.yaml", text)

    with pytest.raises(SettingsError, match=r"clouds\.yaml cannot be read as YAML"):
        find()


def test_a_broken_credentials_file_is_named_without_its_content(find):
    """As above."""
    put(find.home / ".huaweicloud" / "credentials", "sk = my-secret-key\n")

    with pytest.raises(SettingsError, match="cannot be read as a credentials file") as caught:
        find()

    assert "my-secret-key" not in f"{caught.value}{caught.value.__cause__}"


def test_a_broken_file_does_not_stand_in_the_way_of_whole_credentials(find):
    """Files are only read where arguments and environment hold nothing complete."""
    put(find.folder / "clouds.yaml", "clouds: [")

    assert find(KEY).access_key.get_secret_value() == "AK"
    assert find({}, ENVIRONMENTS["ours"]).access_key.get_secret_value() == "ours"


@pytest.mark.parametrize("text", ["[]", "clouds: []", "clouds: {a: 1}", "clouds: {a: {auth: null}}", ""])
def test_odd_but_valid_yaml_holds_nothing(find, text):
    """Such a file is passed over."""
    put(find.folder / "clouds.yaml", text)

    with pytest.raises(SettingsError, match="No credentials were found"):
        find()


def test_where_values_were_found_is_told_without_the_values(find):
    """The operator sees which account a notebook would use."""
    found = find({}, ENVIRONMENTS["terraform"])

    assert found.found_in == {
        "access_key": "HW_ACCESS_KEY",
        "secret_key": "HW_SECRET_KEY",
        "region": "arguments",
    }
    assert "terraform" not in repr(found)


@pytest.mark.parametrize(
    ("url", "stays"),
    [("http://127.0.0.1:80", True), ("http://localhost", True), ("http://[::1]:1", True), ("https://example", False)],
)
def test_this_machine_is_told_from_others(url, stays):
    """No proxy is asked for addresses of this machine."""
    assert is_loopback(url) is stays


def test_a_password_is_not_sent_in_the_clear():
    """Plain HTTP to another machine is refused; a signature gives nothing away."""
    with pytest.raises(SettingsError, match="not encrypted"):
        connect(endpoint="http://cloud.example", region="r-1", user="u", password="p", domain="d")

    connect(endpoint="http://cloud.example", region="r-1", **KEY)
    connect(endpoint="http://127.0.0.1:1", region="r-1", user="u", password="p", domain="d")


def test_an_unknown_service_is_answered_with_the_known_ones():
    """A typing error in endpoints= would otherwise go unnoticed."""
    with pytest.raises(SettingsError, match=r"no service called as; .*autoscaling"):
        connect(region="r-1", endpoints={"as": "https://x"}, **KEY)


PLACES = {
    "region": [("OS_REGION", "eu-de"), ("OS_REGION_NAME", "eu-de"), ("HW_REGION_NAME", "eu-de")],
    "project_name": [
        ("OS_TENANT_NAME", "eu-de_erp"), ("OS_PROJECT_NAME", "eu-de_erp"), ("HW_PROJECT_NAME", "eu-de_erp")
    ],
    "project_id": [("OS_TENANT_ID", "p1"), ("OS_PROJECT_ID", "p1"), ("HW_PROJECT_ID", "p1")],
}  # fmt: skip


@pytest.mark.parametrize(("field", "variable", "value"), [(f, *one) for f, ones in PLACES.items() for one in ones])
def test_other_clients_variables_are_read_under_each_of_their_names(find, field, variable, value):
    """Old and new names of one thing."""
    family = variable.split("_")[0]
    keys = {f"{family}_ACCESS_KEY": "AK", f"{family}_SECRET_KEY": "SK"}

    settings = find(environ={**keys, variable: value}, region=None if field != "project_id" else "r-1")

    assert getattr(settings, field) == value
    assert settings.region in ("eu-de", "r-1")


@pytest.mark.parametrize(
    ("environ", "clouds", "credentials"),
    [
        pytest.param({"SDRS_NB_ACCESS_KEY": "a", "SDRS_NB_SECRET_KEY": "s", "SDRS_NB_SECURITY_TOKEN": "t"}, "", "",
                     id="ours"),
        pytest.param({"HUAWEICLOUD_SDK_AK": "a", "HUAWEICLOUD_SDK_SK": "s", "HUAWEICLOUD_SDK_SECURITY_TOKEN": "t"},
                     "", "", id="sdk"),
        pytest.param({"HW_ACCESS_KEY": "a", "HW_SECRET_KEY": "s", "HW_SECURITY_TOKEN": "t"}, "", "", id="terraform"),
        pytest.param({"OS_ACCESS_KEY": "a", "OS_SECRET_KEY": "s", "OS_SECURITY_TOKEN": "t"}, "", "", id="openstack"),
        pytest.param({}, "clouds: {x: {auth: {ak: a, sk: s, security_token: t}}}", "", id="clouds.yaml"),
        pytest.param({}, "clouds: {x: {ak: a, sk: s, security_token: t, auth: {}}}", "", id="beside auth"),
        pytest.param({}, "", "[basic]\nak = a\nsk = s\nsecurity_token = t\n", id="credentials file"),
        pytest.param({}, "", "\ufeff[basic]\r\nak = a\r\nsk = s\r\nsecurity_token = t\r\n", id="with a BOM"),
        pytest.param({}, "\ufeffclouds: {x: {auth: {ak: a, sk: s, security_token: t}}}", "", id="YAML with a BOM"),
    ],
)  # fmt: skip
def test_the_token_of_temporary_keys_is_read_in_every_place(find, environ, clouds, credentials):
    """Without it every call with such keys would be refused."""
    if clouds:
        (find.folder / "clouds.yaml").write_text(clouds, encoding="utf-8")
    if credentials:
        (find.home / ".huaweicloud").mkdir()
        (find.home / ".huaweicloud" / "credentials").write_text(credentials, encoding="utf-8")

    settings = find(environ=environ)

    assert settings.security_token.get_secret_value() == "t"


@pytest.mark.parametrize(
    ("entry", "region", "project"),
    [
        pytest.param("profile: otc, auth: {username: u, password: p, project_name: eu-de_erp, user_domain_name: d}",
                     "eu-de", "eu-de_erp", id="a profile and nothing else"),
        pytest.param("profile: otc, region_name: eu-nl, ak: a, sk: s", "eu-nl", None, id="a profile in a region"),
        pytest.param("cloud: otc, auth: {ak: a, sk: s, tenant_name: eu-de_erp}", "eu-de", "eu-de_erp", id="older word"),
        pytest.param("auth: {auth_url: 'https://iam.eu-de.otc.t-systems.com:443/v3', username: u, password: p, "
                     "tenant_name: eu-de_erp, domain_name: d}", "eu-de", "eu-de_erp", id="tenant and port"),
    ],
)  # fmt: skip
def test_a_cloud_of_other_clients_is_the_right_cloud_and_project(find, entry, region, project):
    """Region, host and project, as the client that the file was written for would take them."""
    (find.folder / "clouds.yaml").write_text(f"clouds: {{otc: {{{entry}}}}}", encoding="utf-8")

    settings = find(region=None)

    assert (settings.region, settings.cloud_host, settings.project_name) == (region, "otc.t-systems.com", project)
    assert settings.site.profile == "otc"


@pytest.mark.parametrize(("name", "region"), [("cn-north-4_erp", "cn-north-4"), ("eu-de", "eu-de"), ("erp", None)])
def test_a_project_says_its_region(find, name, region):
    """``{region}_{name}`` is a project of its region; another name says nothing of one."""
    if region is None:
        with pytest.raises(SettingsError, match="No region"):
            find({**KEY, "project_name": name}, region=None)
        return
    assert find({**KEY, "project_name": name}, region=None).region == region


def test_what_was_found_and_is_not_used_is_said_by_name(find):
    """Keys of another place, a user beside keys, and what nobody here reads; never a value."""
    (find.folder / "clouds.yaml").write_text(
        "clouds: {x: {ak: AK1, sk: SK1, trust_id: T1, interface: public, auth: {username: u1, password: p1}}}",
        encoding="utf-8",
    )

    settings = find(environ={"OS_PROJECT_ID": "p-other", "OS_TRUST_ID": "T2", "OS_IDENTITY_API_VERSION": "3"})

    told = "; ".join(settings.unused)
    for name in ("username", "password", "trust_id", "OS_PROJECT_ID", "OS_TRUST_ID"):
        assert name in told
    for quiet in ("interface", "OS_IDENTITY_API_VERSION", "ak", "AK1", "SK1", "T1", "T2", "p1", "p-other"):
        assert quiet not in told.replace("public", "").replace("/", " / ").split()
    assert not any(value in told for value in ("AK1", "SK1", "u1", "p-other"))


def test_a_sandbox_needs_an_address(find):
    """A sandbox without an endpoint would be a real cloud whose word on its time is believed."""
    with pytest.raises(SettingsError, match="SDRS_NB_ENDPOINT"):
        find(KEY, environ={"SDRS_NB_SANDBOX": "1"})

    assert find({**KEY, "endpoint": "http://127.0.0.1:1"}, environ={"SDRS_NB_SANDBOX": "1"}).sandbox
    assert not find(KEY).sandbox


def a_profile(**changed):
    """A profile of the vendor's command line."""
    held = {"name": "default", "mode": "AKSK", "accessKeyId": "A" * 20, "secretAccessKey": "sk", "region": "eu-de"}
    return {**held, "projectId": "p-cli", "domainId": "d-cli", "agencyName": "", **changed}


def a_command_line(find, profiles=(), **changed):
    """Write the command line's file."""
    document = {"current": "default", "profiles": [a_profile(), *profiles], "authEncrypt": "false", **changed}
    put(find.home / ".hcloud" / "config.json", json.dumps({k: v for k, v in document.items() if v is not None}))


def test_the_profile_of_the_command_line_comes_last(find):
    """Its keys, region and project, and where they were found; any other place wins."""
    a_command_line(find)

    found = find(region=None)
    assert (found.access_key.get_secret_value(), found.region, found.project_id) == ("A" * 20, "eu-de", "p-cli")
    assert ".hcloud/config.json, profile default" in found.found_in["access_key"]
    put(find.home / ".huaweicloud" / "credentials", CREDENTIALS)
    assert find().access_key.get_secret_value() == "file"


@pytest.mark.parametrize("named", ["environment", "argument", "current"])
def test_another_profile_of_the_command_line_is_chosen_by_name(find, named):
    """By ``HW_PROFILE``, by ``profile=``, by the file itself."""
    a_command_line(
        find, [a_profile(name="two", accessKeyId="B" * 20)], **({"current": "two"} if named == "current" else {})
    )
    environ = {"HW_PROFILE": "two"} if named == "environment" else {}

    found = find({}, environ, profile="two" if named == "argument" else None)

    assert found.access_key.get_secret_value() == "B" * 20


@pytest.mark.parametrize("flag", ["true", True, None])
def test_an_encrypted_profile_is_not_read_and_says_so(find, flag):
    """With the command that keeps it readable; without a flag an access key tells by its signs."""
    secret = "hk+8sdKq0Vd/Zx81cD=="
    put(
        find.home / ".hcloud" / "config.json",
        json.dumps({"current": "default", "profiles": [a_profile(accessKeyId=secret)], "authEncrypt": flag}),
    )

    with pytest.raises(SettingsError, match="cli-auth-encrypt=false") as caught:
        find()
    assert secret not in str(caught.value)
    a_command_line(find, authEncrypt=None)
    assert find().access_key.get_secret_value() == "A" * 20


def test_a_file_of_the_command_line_that_is_broken_stands_in_nobodys_way(find):
    """Unless nothing else was found; its text is not quoted."""
    put(find.home / ".hcloud" / "config.json", '{"profiles": [{"secretAccessKey": "canary')

    assert find(KEY).access_key.get_secret_value() == "AK"
    with pytest.raises(SettingsError, match=r"config\.json cannot be read as JSON") as caught:
        find()
    assert "canary" not in str(caught.value)


def test_lent_keys_are_asked_for_by_name(find):
    """By argument, variable or section of the credentials file; they win over keys of the same place."""
    put(find.home / ".huaweicloud" / "credentials", "[basic]\nak = a\nsk = s\ncredential_process = get-keys --now\n")

    assert find({"credentials": "ecs"}).credentials == "ecs"
    assert find({}, {"SDRS_NB_CREDENTIALS": "ecs", **ENVIRONMENTS["ours"]}).kind == "access key"
    found = find()
    assert found.access_key is None
    assert found.is_temporary
    assert found.credential_process.get_secret_value() == "get-keys --now"
    assert "credential_process" in found.found_in
    assert "get-keys" not in repr(found)
    with pytest.raises(SettingsError, match="credentials"):
        find({"credentials": "everywhere"})


def test_no_command_is_taken_from_clouds_yaml(find):
    """It may lie in the folder one happens to work in, put there by whoever made that folder."""
    put(find.folder / "clouds.yaml", "clouds: {it: {credential_process: 'touch x', region_name: r, auth: {}}}")

    with pytest.raises(SettingsError, match="No credentials were found"):
        find()


@pytest.mark.parametrize("url", ["http://metadata.example.org", "http://10.0.0.1", "https://169.254.169.254.evil.net"])
def test_the_metadata_service_is_on_this_link_or_machine(find, url):
    """Whoever moved it elsewhere could lend keys of an account of his own."""
    with pytest.raises(SettingsError, match="metadata_url"):
        find({"credentials": "ecs"}, {"SDRS_NB_METADATA_URL": url})
