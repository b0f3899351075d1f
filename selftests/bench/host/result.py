# SPDX-License-Identifier: GPL-2.0
"""From a line of the suite to an object of results.json."""

import json

import plan


class Bad(Exception):
    """A line that is not what the suite prints."""


# Copies of the data by a CPU between the disk's memory and the guest's, where
# that follows from how the path works; null_blk's own, which all have, left out.
COPIES = {
    "pv": 1,            # the frontend's, into pages that stay granted
    "qemu-nvme": 1,     # QEMU's paths all go through dom0's page cache
    "qemu-virtio": 1,
    "qemu-pvscsi": 1,
    "qemu-ahci": 1,
    "qemu-lsi": 1,
    "qemu-ide": 1,
}


# Of AMD's processors, which the lab has.
EXIT_CODES = {
    "0x60": "interrupt", "0x64": "interrupt-window", "0x6e": "rdtsc",
    "0x72": "cpuid", "0x77": "pause", "0x78": "hlt", "0x7b": "port", "0x7c": "msr",
    "0x81": "hypercall", "0x400": "memory",
}


def _us(ns):
    return round(ns / 1000, 2)


def _latency(fio_side):
    lat = fio_side["lat_ns"]
    p = lat["percentile"]
    return {
        "p50_us": _us(p["50.000000"]),
        "p90_us": _us(p["90.000000"]),
        "p99_us": _us(p["99.000000"]),
        "p999_us": _us(p["99.900000"]),
        "max_us": _us(lat["max"]),
    }


def _counts(row, iops, counts):
    """Counts per I/O, of a time within that in which fio ran."""
    ios = iops * counts["ns"] / 1e9
    if ios <= 0:
        return {}
    # What goes straight to the disk tells whether fio really ran then.
    if row.path in ("dom0", "pv", "ioemu") and \
            not 0.7 < counts["disk_ios"] * (4 if row.bs == "4k" else 128) / \
            int(row.bs[:-1]) / ios < 1.4:
        return {}
    per = {
        "dom0_switches": counts["switches"] / ios,
        "dom0_irqs": counts["irqs"] / ios,
        "dom0_cpu_us": counts["dom0_ns"] / 1000 / ios,
    }
    if "guest_ns" in counts:
        per["guest_cpu_us"] = counts["guest_ns"] / 1000 / ios
    if "dm_events" in counts:
        per["ioreqs"] = (counts["ioreqs"] + counts["dm_events"]) / ios
        per["dm_switches"] = counts["dm_switches"] / ios
    if row.path == "ioemu":
        per["copies"] = counts["bounced"] / ios
    per = {key: round(value, 3) for key, value in per.items()}
    if row.path in COPIES:
        per["copies"] = COPIES[row.path]
    return per


def _io(row, data):
    job = data["fio"]["jobs"][0]
    if job["error"]:
        raise Bad(f"fio: error {job['error']}")
    side = job["write" if "write" in row.workload else "read"]
    out = {"bs": row.bs, "qd": row.qd, "vcpus": row.vcpus, "disks": row.disks,
           "iops": round(side["iops"], 1)}
    out.update(_latency(side))
    if data["counts"]:
        out.update(_counts(row, side["iops"], data["counts"]))
    if "exits" in data:
        traced = data["traced"]["jobs"][0]
        ios = traced["read"]["iops"] * data["exits"]["ns"] / 1e9
        if ios > 0:
            out["exits"] = round(data["exits"]["exits"] / ios, 3)
            out["exit_codes"] = {
                EXIT_CODES.get(code, code): round(n / ios, 3)
                for code, n in data["exits"].get("codes", {}).items()}
    return out


def _trap(data):
    keys = ("p50_us", "p90_us", "p99_us", "p999_us", "max_us")
    return dict(zip(keys, (_us(ns) for ns in data["ns"]), strict=True))


def parse(view, line):
    """The row's name, and its object, of a line that begins with "@row "."""
    try:
        data = json.loads(line.removeprefix("@row "))
        row = plan.parse(data["row"])
        out = {"view": view, "path": row.path, "disk": row.disk,
               "workload": row.workload}
        out.update(_trap(data) if row.disk == "trap" else _io(row, data))
    except (KeyError, IndexError, TypeError, ValueError) as e:
        raise Bad(f"{type(e).__name__}: {e}") from e
    return data["row"], out
