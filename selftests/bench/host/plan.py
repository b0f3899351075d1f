# SPDX-License-Identifier: GPL-2.0
"""What there is to measure: rows, their order, and selections of them."""

import fnmatch
from collections import namedtuple

PATHS = ("dom0", "pv", "ioemu", "qemu-nvme", "qemu-virtio", "qemu-pvscsi",
         "qemu-ahci", "qemu-lsi", "qemu-ide")
SHARED_PATHS = ("dom0", "pv", "ioemu", "qemu-nvme")
TRAP_PATHS = ("xen", "ioemu", "qemu")
VIEWS = ("wall", "shared", "exact")
DISKS = ("fast", "slow")

# A row as dom0 knows it. bs and what follows are empty for traps.
Row = namedtuple("Row", "disk path workload bs qd vcpus disks")

# workload, bs, qd, vcpus, disks; the slow disk leaves the last ones out.
IO = (
    ("randread", "4k", 1, 1, 1),
    ("randread", "4k", 4, 1, 1),
    ("randread", "4k", 32, 1, 1),
    ("randwrite", "4k", 1, 1, 1),
    ("randwrite", "4k", 4, 1, 1),
    ("randwrite", "4k", 32, 1, 1),
    ("seqread", "128k", 4, 1, 1),
    ("seqwrite", "128k", 4, 1, 1),
)
IO_FAST = IO + (
    ("randread", "4k", 32, 1, 2),
    ("randread", "4k", 1, 2, 1),
    ("randread", "4k", 32, 2, 1),
)
TRAPS = ("trap-idle", "trap-loaded")


def name(row):
    """What WORKLOADS selects by, such as randread-qd32-2cpu."""
    if row.disk == "trap":
        return row.workload
    text = f"{row.workload}-qd{row.qd}"
    if row.vcpus > 1:
        text += f"-{row.vcpus}cpu"
    if row.disks > 1:
        text += f"-{row.disks}disk"
    return text


def word(row):
    """The row as an argument of the suite."""
    if row.disk == "trap":
        return f"trap:{row.path}:{row.workload}"
    return ":".join(str(f) for f in row)


def parse(text):
    """The inverse of word()."""
    parts = text.split(":")
    if parts[0] == "trap":
        return Row("trap", parts[1], parts[2], "", 0, 0, 0)
    return Row(*parts[:4], *(int(p) for p in parts[4:]))


def every_row(view="wall"):
    """All rows of a view, path by path and guest by guest."""
    rows = []
    if view == "shared":
        return [Row("fast", path, *io) for path in SHARED_PATHS for io in IO
                if io[0] == "randread"]
    for path in PATHS:
        # dom0 has no second set of CPUs.
        for vcpus in (1,) if path == "dom0" else (1, 2):
            for disk, ios in (("fast", IO_FAST), ("slow", IO)):
                rows += [Row(disk, path, *io) for io in ios if io[3] == vcpus]
    # CPUs that run in turn make one wait for the other's slice to end: under load
    # that is all that the exact view would show.
    traps = TRAPS if view == "wall" else TRAPS[:1]
    for path in TRAP_PATHS:
        rows += [Row("trap", path, trap, "", 0, 0, 0) for trap in traps]
    return rows


def _matches(patterns, *texts):
    return not patterns or any(fnmatch.fnmatch(t, p) for p in patterns for t in texts)


def select(paths=(), workloads=(), disks=(), view="wall"):
    """Rows whose parts match one of the patterns each; none means all."""
    return [row for row in every_row(view)
            if _matches(paths, row.path) and
            _matches(workloads, name(row), row.workload) and
            (row.disk == "trap" or _matches(disks, row.disk))]
