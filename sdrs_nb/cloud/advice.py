"""What the codes mean that operators meet most, and what to do; the rule book explains those of one server or group."""

from sdrs_nb.i18n import _

__all__ = ["advice", "meaning"]


def meaning(code: str) -> str:
    """Return what the code of a failed job says, ``""`` where only the cloud's own words tell."""
    # SDRS API reference, "Error Codes"; ECS API reference, "Returned Values for General Requests".
    return {
        "SDRS.0405": _("The job itself failed."),
        "SDRS.0406": _("A part of the job failed."),
        "SDRS.0407": _("The job failed, and so did cleaning up after it: something may be left over."),
        "SDRS.1306": _(
            "The DR server could not be created: quota, flavor sold out, key pair missing, no free address."
        ),
        "SDRS.1307": _("The DR server could not be deleted."),
        "SDRS.1309": _("Production volume and DR volume are not of the same kind."),
        "SDRS.1350": _("The protected instance could not be created; the service gives no closer reason."),
        "SDRS.1351": _("The protected instance could not be deleted; the service gives no closer reason."),
        "SDRS.1354": _("The DR server is billed yearly/monthly, so it cannot be deleted with its instance."),
        "SDRS.1355": _("The account is frozen, so the DR server cannot be deleted."),
        "SDRS.1606": _("A replication pair could not be created."),
        "SDRS.1609": _("A replication pair could not be created."),
        "SDRS.1807": _("Volumes could not be attached to the DR server."),
        "SDRS.1812": _("A DR volume could not be created: quota, capacity, or its type is not sold in the DR AZ."),
        "SDRS.1813": _("A DR volume could not be deleted."),
        "Ecs.0001": _("The quota of servers, vCPUs or memory is used up."),
        "Ecs.0012": _("The subnet has no free address left."),
        "Ecs.0018": _("The flavor is sold out in the DR AZ."),
        "Ecs.0021": _("The quota of volumes is used up."),
    }.get(code, "")


def advice(code: str, status: int) -> str:  # noqa: C901, PLR0911, PLR0912 - one line a code, as a table would be
    """Return one sentence on what to do, ``""`` where the cloud's own words are all there is to say.

    Sources: cloud-apis 3.1 and 11, sdrs-api 1.1, error-codes.json.  The gateway writes its prefix in two ways.
    """
    match code.replace("APIG.", "APIGW."), status:
        case ("APIGW.0301" | "SDRS.0002", _status):
            return _("The credentials were not accepted; check them, the project and this machine's clock.")
        case ("APIGW.0302", _status):
            return _("Ask the administrator of the account to grant this user the permission in IAM.")
        case ("SDRS.0003" | "SDRS.0004" | "SDRS.0005", _status):  # the permission page knows roles, no actions
            return _("Ask the administrator of the account for a role in this project: Tenant Guest reads; SDRS "
                     "Administrator with Tenant Guest and Server Administrator creates.")  # fmt: skip
        case ("APIGW.0308", _status):
            return _("The project makes too many calls; wait some seconds and try again.")
        case ("APIGW.0101", _status):
            return _("The endpoint does not know this call; check the endpoint and whether the region has the service.")
        case (_code, 407):
            return _("A proxy on the way wants a user and a password: HTTPS_PROXY=http://user:password@host:port.")
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
        case ("SDRS.0405" | "SDRS.0406" | "SDRS.0407" | "SDRS.1309" | "SDRS.1350" | "SDRS.1351", _status):
            return _("Read the reason in the server's row; if it comes again, open a ticket with the job's id.")
        case ("SDRS.1306" | "Ecs.0001" | "Ecs.0021" | "SDRS.1812", _status):
            return _("Look at the quotas of ECS and EVS and at what the DR AZ sells.")
        case ("Ecs.0012", _status):
            return _("Free addresses of the subnet, or plan with another one.")
        case ("Ecs.0018", _status):
            return _("Plan the server with another flavor, or wait until the DR AZ sells this one again.")
        case ("SDRS.1354" | "SDRS.1355", _status):
            return _("Keep the DR server: plan the undo without deleting DR servers.")
        case (_code, 401):
            return _("The credentials were not accepted; check them and whether they belong to this account.")
        case (_code, 403):
            return _("These credentials do not allow this call; ask for the permission in IAM.")
        case (_code, 300 | 301 | 302 | 303 | 307 | 308):
            return _("The endpoint sends callers elsewhere, which is not followed; correct the endpoint.")
        case _other:
            return ""
