"""What the sandbox region sells: availability zones, flavors, volume types and images."""

from .records import Flavor

AZ_A, AZ_B, AZ_C = "sandbox-1a", "sandbox-1b", "sandbox-1c"

# EVS volume types; co-p1 and uh-l1 appear only in samples of replication pairs.
VOLUME_TYPES = frozenset({"SATA", "SAS", "GPSSD", "SSD", "ESSD", "GPSSD2", "ESSD2", "co-p1", "uh-l1"})

LINUX_IMAGES = ("CentOS 7.9 64bit", "Ubuntu 22.04 server 64bit", "EulerOS 2.10 64bit", "SUSE Linux Enterprise 15")
WINDOWS_IMAGE = "Windows Server 2019 Standard 64bit"

_SIZES = (("large", 2), ("xlarge", 4), ("2xlarge", 8), ("4xlarge", 16))


def _ordinary(series: str, ratio: int, performance: str, generation: str, families: frozenset[str]) -> list[Flavor]:
    return [
        Flavor(
            id=f"{series}.{size}.{ratio}",
            vcpus=vcpus,
            ram_mib=vcpus * ratio * 1024,
            performance=performance,
            generation=generation,
            families=families,
            specs=(("quota:vif_max_num", "16"),),
        )
        for size, vcpus in _SIZES
    ]


def flavors() -> dict[str, Flavor]:
    """Give the flavor catalogue by id."""
    found = [
        *_ordinary("s6", 2, "normal", "s6", frozenset()),
        *_ordinary("c7", 2, "computingv3", "c7", frozenset()),
        *_ordinary("c7", 4, "computingv3", "c7", frozenset()),
        *_ordinary("m7", 8, "highmem", "m7", frozenset()),
        *_ordinary("c6", 2, "computingv3", "c6", frozenset({"generation"})),
        Flavor("d3.xlarge.8", 4, 32768, "diskintensive", "d3", families=frozenset({"local"}),
               specs=(("quota:local_disk", "2:1675:sas"), ("cond:storage", "localdisk"))),
        Flavor("i3.2xlarge.8", 8, 65536, "highio", "i3", families=frozenset({"local"}),
               specs=(("quota:nvme_ssd", "1:1600"), ("cond:storage", "localdisk"))),
        Flavor("g6.xlarge.4", 4, 16384, "gpu", "g6", families=frozenset({"accelerator"}),
               specs=(("info:gpus", '[{"name":"T4","count":1}]'), ("pci_passthrough:alias", "nvidia-t4:1"))),
        Flavor("kc1.xlarge.2", 4, 8192, "kunpeng_computing", "kc1", arm64=True, families=frozenset({"arm64"})),
        Flavor("kc1.2xlarge.2", 8, 16384, "kunpeng_computing", "kc1", arm64=True, families=frozenset({"arm64"})),
        Flavor("e3.7xlarge.12", 28, 348160, "saphana", "e3", xen=True, families=frozenset({"infiniband"}),
               specs=(("cond:storage", "ib"),)),
        Flavor("physical.o2.medium", 40, 262144, "normal", "o2", families=frozenset({"baremetal"}),
               specs=(("resource_type", "ironic"),)),
        # No longer sold anywhere: the production server runs, a DR server cannot be ordered (1353).
        Flavor("c3.retired.2", 2, 4096, "normal", "c3",
               sale=((AZ_A, "abandon"), (AZ_B, "abandon"), (AZ_C, "abandon"))),
        # Sold out for the moment in one AZ: the request passes, the job fails (Ecs.0018).
        Flavor("c3.scarce.2", 2, 4096, "normal", "c3", sale=((AZ_B, "sellout"),)),
    ]  # fmt: skip
    return {flavor.id: flavor for flavor in found}


def can_resize(source: Flavor, target: Flavor) -> bool:
    """Whether `target` is in the resize list of a server of flavor `source`.

    The list that the batch page names for ``flavorRef`` holds other flavors only. ASSUMED: resize_flavors: same
    processor architecture, same virtualization, same kind of local storage and accelerator.
    """
    return (
        source.id != target.id
        and source.arm64 == target.arm64
        and source.xen == target.xen
        and source.families - {"generation"} == target.families - {"generation"}
    )
