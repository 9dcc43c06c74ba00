"""How each service says no: one exception, and the error bodies in all documented shapes."""

from typing import Any

# Messages of the service's codes, in our words; a code that is not listed here says only that it failed.
MESSAGES = {
    "SDRS.0201": "The request parameters are invalid.",
    "SDRS.0202": "The name is invalid.",
    "SDRS.0203": "The availability zone is invalid.",
    "SDRS.0204": "The VPC is invalid.",
    "SDRS.0205": "The active-active domain ID is invalid.",
    "SDRS.0206": "The action is invalid.",
    "SDRS.0207": "The protection group ID is invalid.",
    "SDRS.0209": "The status value is incorrect.",
    "SDRS.0210": "The server ID is invalid.",
    "SDRS.0211": "The disk ID is invalid.",
    "SDRS.0212": "The description is invalid.",
    "SDRS.0214": "The replication pair status is incorrect.",
    "SDRS.0216": "The value of priority_station is invalid.",
    "SDRS.0217": "The value of dr_type is invalid.",
    "SDRS.0218": "The cluster ID is invalid.",
    "SDRS.0219": "The IP address is invalid.",
    "SDRS.0221": "The value of limit must be an integer greater than 0 or less than 1000.",
    "SDRS.0222": "The value of offset must be an integer not less than 0.",
    "SDRS.0223": "The NIC ID is invalid.",
    "SDRS.0225": "The volume is frozen.",
    "SDRS.0226": "Too many IDs in the ID list.",
    "SDRS.0227": "The dedicated host ID is invalid.",
    "SDRS.0228": "The tenancy value is invalid.",
    "SDRS.0233": "No usable active-active domain.",
    "SDRS.0305": "The protection group quota is insufficient.",
    "SDRS.0306": "The replication pair quota is insufficient.",
    "SDRS.0408": "The job does not exist.",
    "SDRS.1001": "The protection group still has protected instances.",
    "SDRS.1002": "The operation is not allowed in the current status of the protection group.",
    "SDRS.1003": "The protection group still has DR drills.",
    "SDRS.1010": "The protection group still has replication pairs.",
    "SDRS.1013": "The protection group does not exist.",
    "SDRS.1015": "The protection group data is abnormal.",
    "SDRS.1021": "The protection group does not allow protection to be enabled in its current status.",
    "SDRS.1022": "The protection group does not allow a failover in its current status.",
    "SDRS.1023": "The protection group does not allow a planned failover in its current status.",
    "SDRS.1024": "The protection group is neither available nor protected.",
    "SDRS.1301": "The protected instance cannot be deleted in its current status.",
    "SDRS.1303": "The AZ of the server is not the production site AZ of the protection group.",
    "SDRS.1304": "The VPC of the server is not the VPC of the protection group.",
    "SDRS.1305": "The server already has a protected instance.",
    "SDRS.1306": "Failed to create the server.",
    "SDRS.1310": "The NIC does not exist.",
    "SDRS.1311": "The primary NIC cannot be deleted.",
    "SDRS.1312": "Failed to add the NIC.",
    "SDRS.1313": "Failed to delete the NIC.",
    "SDRS.1314": "The protected instance is abnormal.",
    "SDRS.1319": "A server at the current production site is not stopped.",
    "SDRS.1320": "The protected instance does not exist.",
    "SDRS.1321": "No disk is attached to the server.",
    "SDRS.1322": "The system disk is abnormal.",
    "SDRS.1323": "The protection group is not available.",
    "SDRS.1325": "Protection of the protection group is not stopped.",
    "SDRS.1326": "The server does not exist.",
    "SDRS.1327": "The NIC operation is not allowed in the current status of the protected instance.",
    "SDRS.1328": "The protected instance is not available.",
    "SDRS.1329": "Failed to modify the specifications of the protected instance.",
    "SDRS.1330": "The production site server cannot be deleted after a switchover.",
    "SDRS.1333": "The server is neither active nor shut off.",
    "SDRS.1334": "The private IP address is already in use.",
    "SDRS.1335": "The subnet does not exist.",
    "SDRS.1336": "A server with an extension NIC is not supported.",
    "SDRS.1337": "Adding an extension NIC is not supported.",
    "SDRS.1339": "No system disk is attached to the server.",
    "SDRS.1340": "The number of NICs has reached the limit.",
    "SDRS.1341": "The target flavor is the same as the current one.",
    "SDRS.1342": "The DR site server is not stopped.",
    "SDRS.1350": "Failed to create the protected instance.",
    "SDRS.1352": "The current production server is not stopped.",
    "SDRS.1353": "The DR site server flavor is not supported.",
    "SDRS.1354": "The DR site server is billed yearly/monthly and cannot be deleted.",
    "SDRS.1356": "The production site server flavor is not supported.",
    "SDRS.1357": "The server is locked by the system.",
    "SDRS.1358": "The number of protected instances in the protection group has reached the limit.",
    "SDRS.1359": "The server is locked by another cloud service.",
    "SDRS.1360": "The server list contains an invalid server ID.",
    "SDRS.1361": "The server list contains a duplicate server ID.",
    "SDRS.1362": "The number of servers in the list exceeds the limit.",
    "SDRS.1363": "The protected instance list contains a duplicate ID.",
    "SDRS.1364": "The protected instances belong to different protection groups.",
    "SDRS.1365": "A shared replication pair is also attached to another protected instance.",
    "SDRS.1366": "Dedicated hosts are not supported.",
    "SDRS.1367": "The DR site server is not on a dedicated host.",
    "SDRS.1368": "The production site server is not on a dedicated host.",
    "SDRS.1369": "The DR site dedicated host ID is empty.",
    "SDRS.1370": "The production site dedicated host ID is empty.",
    "SDRS.1371": "dedicated_host_id requires the tenancy dedicated.",
    "SDRS.1372": "The dedicated host does not exist.",
    "SDRS.1373": "The dedicated host is not in the DR site AZ.",
    "SDRS.1374": "The flavor cannot be created on the dedicated host.",
    "SDRS.1375": "A server of an ECS group cannot be placed on a dedicated host.",
    "SDRS.1376": "The server is billed yearly/monthly and cannot be resized.",
    "SDRS.1377": "The protected instance has no replication pair with a system disk.",
    "SDRS.1378": "The production site server cannot take this flavor.",
    "SDRS.1379": "The DR site server cannot take this flavor.",
    "SDRS.1380": "primary_ip_address requires primary_subnet_id.",
    "SDRS.1381": "The DSS pool does not exist.",
    "SDRS.1382": "The DR site does not support DSS.",
    "SDRS.1383": "The DSS pool is not in the DR site AZ.",
    "SDRS.1384": "The DSS pool is being deployed.",
    "SDRS.1385": "The capacity of the DSS pool is insufficient.",
    "SDRS.1386": "The type of the DSS pool differs from the type of the production disk.",
    "SDRS.1408": "A server that shares a disk is not in the server list.",
    "SDRS.1409": "A protected instance that shares a replication pair is not in the list.",
    "SDRS.1601": "The replication pair is not available.",
    "SDRS.1603": "The replication pair is attached or the device name is in use.",
    "SDRS.1604": "The replication pair is not attached.",
    "SDRS.1605": "The replication pair is attached.",
    "SDRS.1606": "The replication pair could not be created.",
    "SDRS.1608": "The replication pair does not exist.",
    "SDRS.1611": "The replication pair is not in the protection group.",
    "SDRS.1801": "The disk is not available.",
    "SDRS.1802": "The disk is encrypted.",
    "SDRS.1806": "The disk type does not allow the operation.",
    "SDRS.1810": "The AZ of the disk is not the current production site AZ.",
    "SDRS.1811": "The disk is already in a replication pair.",
    "SDRS.1812": "Failed to create the disk.",
    "SDRS.1817": "A disk of the replication pair is neither available nor in use.",
    "SDRS.1818": "The shared disks of the replication pair are not available.",
    "SDRS.1819": "The disks are billed yearly/monthly and cannot be expanded.",
    "SDRS.1820": "Failed to expand the capacity.",
    "SDRS.1821": "Failed to attach the replication pair.",
    "SDRS.1822": "Failed to detach the replication pair.",
    "SDRS.1825": "The disk is used in a DR drill.",
    "SDRS.1826": "The number of unattached replication pairs has reached the limit.",
    "SDRS.1827": "The DR site disk is billed yearly/monthly and cannot be deleted.",
    "SDRS.1830": "The replication pairs of the protection group are being synchronized.",
    "SDRS.1831": "The disk is locked.",
    "SDRS.1902": "The DR drill does not exist.",
    "SDRS.1907": "The drill VPC is the VPC of the protection group.",
    "SDRS.1908": "The drill VPC has no subnet.",
    "SDRS.1912": "Failed to create the NIC of the drill server.",
    "SDRS.1913": "The DR drill cannot be deleted in its current status.",
    "SDRS.1921": "The drill VPC is already used by a DR drill.",
    "SDRS.1928": "The VPC does not exist.",
    "SDRS.2201": "The tag action must be create or delete.",
    "SDRS.2202": "The tag list is empty.",
    "SDRS.2203": "Too many tags.",
    "SDRS.2204": "The tag key is invalid.",
    "SDRS.2205": "The tag key is empty.",
    "SDRS.2206": "The tag key does not exist.",
    "SDRS.2207": "The tag value is invalid.",
    "SDRS.2208": "The tag value is null.",
    "SDRS.2209": "The request contains duplicate tag keys.",
    "SDRS.2210": "The query action must be filter or count.",
    "SDRS.2211": "limit and offset are not allowed with count.",
    "SDRS.2212": "matches is empty.",
    "SDRS.2213": "A key in matches is empty.",
    "SDRS.2214": "A key in matches is invalid.",
    "SDRS.2215": "matches contains duplicate keys.",
    "SDRS.2216": "A value in matches is null.",
    "SDRS.2217": "A value in matches is invalid.",
    "SDRS.2218": "Too many values under one key.",
    "SDRS.2219": "Duplicate values under one key.",
    "SDRS.2220": "The value of limit must be between 1 and 1000.",
    "SDRS.2221": "Tags cannot be added in the current status of the protected instance.",
    "SDRS.2222": "Tags cannot be deleted in the current status of the protected instance.",
}


class Refusal(Exception):  # noqa: N818 - the cloud refuses; nothing has gone wrong in the sandbox
    """An answer that says no.

    Parameters
    ----------
    code
        The service's code, for example ``SDRS.1013``.
    status
        HTTP status.
    message
        The text; left out, the text that belongs to the code.
    key
        The single key around code and message: ``error``, ``badrequest``, ``itemNotFound`` and so on;
        empty = both at the top level.
    """

    def __init__(self, code: str, status: int = 400, message: str = "", key: str = "error") -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.message = message or MESSAGES.get(code, "The request failed.")
        self.key = key

    def body(self, request_id: str) -> dict[str, Any]:
        """Give the JSON body; `request_id` matters to the shapes that carry one."""
        del request_id
        plain = {"code": self.code, "message": self.message}
        return {self.key: plain} if self.key else plain


class GatewayRefusal(Refusal):
    """A refusal by the API gateway: ``error_code``, ``error_msg`` and ``request_id``; KPS and EPS use the shape too."""

    def body(self, request_id: str) -> dict[str, Any]:
        """Give the gateway's JSON body."""
        return {"error_msg": self.message, "error_code": self.code, "request_id": request_id}


class IamRefusal(Refusal):
    """A refusal by IAM, whose code is the HTTP status as an integer."""

    def __init__(self, status: int, title: str, message: str) -> None:
        super().__init__(str(status), status, message)
        self.title = title

    def body(self, request_id: str) -> dict[str, Any]:
        """Give IAM's JSON body."""
        del request_id
        return {"error": {"code": self.status, "message": self.message, "title": self.title}}


def unknown_route() -> GatewayRefusal:
    """Give the gateway's answer to a path or method it does not know (APIGW.0101)."""
    return GatewayRefusal("APIGW.0101", 404, "The API does not exist or has not been published in the environment.")


def not_authenticated(why: str) -> GatewayRefusal:
    """Give the gateway's answer to missing or wrong credentials (APIGW.0301)."""
    return GatewayRefusal("APIGW.0301", 401, f"Incorrect IAM authentication information: {why}")


def not_allowed(why: str) -> GatewayRefusal:
    """Give the gateway's answer to credentials that do not reach this resource (APIGW.0302)."""
    return GatewayRefusal("APIGW.0302", 403, f"The IAM user is not allowed to access the API: {why}")


def throttled(limit: int, window: str = "1 second") -> GatewayRefusal:
    """Give the gateway's answer to too many requests (APIGW.0308)."""
    return GatewayRefusal(
        "APIGW.0308",
        429,
        f"The throttling threshold has been reached: policy user over ratelimit,limit:{limit},time:{window}",
    )


def too_large() -> GatewayRefusal:
    """Give the gateway's answer to a body beyond its limit (APIGW.0201)."""
    return GatewayRefusal("APIGW.0201", 413, "Request entity too large.")
