"""The status values of every resource and the statuses in which each operation is allowed, as sets."""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


GROUP = _set(
    "creating available protected deleting error-deleting error starting error-starting reprotecting "
    "error-reprotecting stopping error-stopping reversing error-reversing failing-over failed-over error-failing-over"
)
INSTANCE = _set(
    "creating available deleting error-deleting error nic-creating nic-deleting starting error-starting protected "
    "reversing failing-over failed-over reprotecting stopping error-stopping error-reversing error-failing-over "
    "error-reprotecting resizing error-resizing invalid fault"
)
PAIR = _set(
    "creating available deleting error-deleting error extending error-extending starting error-starting protected "
    "reversing failing-over failed-over reprotecting stopping error-stopping error-reversing error-failing-over "
    "error-reprotecting invalid fault attaching detaching error-attaching error-detaching"
)
DRILL = _set("creating available deleting error-deleting error")

# Create, attach, NICs, resize, new pairs: group and members must be at rest.
AT_REST = _set("available protected")

INSTANCE_DELETABLE = _set(
    "available protected failed-over error error-starting error-stopping error-reversing error-failing-over "
    "error-deleting error-reprotecting error-resizing invalid fault"
)
DETACH_GROUP = _set("available protected failed-over error-starting error-stopping error-reversing error-failing-over")
DETACH_INSTANCE = DETACH_GROUP | _set("error-deleting error-reprotecting error-resizing invalid fault")
DETACH_PAIR = DETACH_GROUP | _set(
    "error-deleting error-reprotecting invalid fault error-attaching error-detaching error-extending"
)
RESIZABLE = AT_REST | {"error-resizing"}
PAIR_DELETE_GROUP = DETACH_GROUP | _set("error-deleting error-reprotecting")
PAIR_DELETABLE = PAIR_DELETE_GROUP | _set("error error-attaching error-extending invalid fault")
PAIR_EXPANDABLE = AT_REST | {"error-extending"}
DRILL_GROUP = DETACH_GROUP | {"error-reprotecting"}
DRILL_DELETABLE = _set("available error error-deleting")
# A group can go when nothing is under way in it.
GROUP_DELETABLE = frozenset(status for status in GROUP if not status.endswith("ing")) | {
    status for status in GROUP if status.startswith("error")
}
