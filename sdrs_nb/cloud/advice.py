"""What to do about the codes that operators meet most; the rule book explains the codes of one server or group."""

from sdrs_nb.i18n import _

__all__ = ["advice"]


def advice(code: str, status: int) -> str:  # noqa: C901, PLR0911, PLR0912 - one line a code, as a table would be
    """Return one sentence on what to do, ``""`` where the cloud's own words are all there is to say.

    Sources: cloud-apis 3.1 and 11, sdrs-api 1.1, error-codes.json.  The gateway writes its prefix in two ways.
    """
    match code.replace("APIG.", "APIGW."), status:
        case ("APIGW.0301" | "SDRS.0002", _status):
            return _("The credentials were not accepted; check them, the project and this machine's clock.")
        case ("APIGW.0302" | "SDRS.0003" | "SDRS.0004" | "SDRS.0005", _status):
            return _("Ask the administrator of the account to grant this user the permission in IAM.")
        case ("APIGW.0308", _status):
            return _("The project makes too many calls; wait some seconds and try again.")
        case ("APIGW.0101", _status):
            return _("The endpoint does not know this call; check the endpoint and whether the region has the service.")
        case ("SDRS.0001", _status):
            return _("Use the project id that belongs to the same account and region as the credentials.")
        case ("SDRS.1013", _status):
            return _("The protection group does not exist in this project and region; load the inventory again.")
        case ("SDRS.1320" | "SDRS.1608" | "SDRS.1902" | "SDRS.1326" | "SDRS.1360", _status):
            return _("The object no longer exists in this project and region; load the inventory again.")
        case ("SDRS.1024" | "SDRS.1323" | "SDRS.1325" | "SDRS.1002", _status):
            return _("Wait until the group's running operation has ended, or repair the group, then try again.")
        case ("SDRS.1305", _status):
            return _("Leave that server out, or delete its old instance first, also one in status error.")
        case ("SDRS.1408", _status):
            return _("Put every server that shares the volume into the same request, or detach the volume.")
        case ("SDRS.0306", _status):
            return _("Ask for more quota of replication pairs, or protect fewer volumes.")
        case ("SDRS.1362", _status):
            return _("Plan again with a smaller batch limit.")
        case ("SDRS.1358", _status):
            return _("The group is full; use another protection group.")
        case (_code, 401):
            return _("The credentials were not accepted; check them and whether they belong to this account.")
        case (_code, 403):
            return _("These credentials do not allow this call; ask for the permission in IAM.")
        case (_code, 300 | 301 | 302 | 303 | 307 | 308):
            return _("The endpoint sends callers elsewhere, which is not followed; correct the endpoint.")
        case _other:
            return ""
