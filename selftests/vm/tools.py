# SPDX-License-Identifier: GPL-2.0
"""Read what the tool has printed for programs, as such programs do.

Usage: tools.py DIRECTORY DOMID NAME, with the files that tools.sh leaves there.
"""
import json
import os
import sys
import xml.etree.ElementTree

from prometheus_client.openmetrics import parser

directory, domid, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def text(file):
    with open(os.path.join(directory, file), encoding="utf-8") as f:
        return f.read()


def expect(good, what):
    if not good:
        sys.exit(f"failed: {what}")


def only(objects):
    """Those of this domain: others' devices may be there too."""
    return [o for o in objects if o["domid"] == domid and o["name"] == name]


COUNTERS = {
    "reads", "read_bytes", "writes", "write_bytes", "flushes", "discards",
    "discard_bytes", "write_zeroes", "write_zeroes_bytes", "errors", "in_flight",
    "bounced", "throttled",
}

EXITS = {"commands", "doorbells", "interrupts", "exits_saved"}

listed = only(json.loads(text("list.json")))
expect(len(listed) == 1 and listed[0]["slot"] == 16, "list: one controller")
expect(listed[0]["state"] == "Connected" and listed[0]["error"] is None, "list: state")
expect([d["index"] for d in listed[0]["disks"]] == [0, 1], "list: disks")

shown = json.loads(text("show.json"))
expect(shown["domid"] == domid and shown["serial"] == "CTRL", "show: controller")
expect(shown["disks"][0]["bytes"] == 64 << 20, "show: bytes")
expect(shown["disks"][0]["iops-limit"] == 0, "show: a limit is a number")
expect(shown["disks"][1]["mode"] == "r", "show: mode")
expect(set(shown["disks"][0]["stats"]) == COUNTERS, "show: counters")
expect(shown["disks"][0]["stats"]["reads"] > 0, "show: reads")

expect(set(shown["stats"]) == EXITS, "show: the controller's counters")

stats = only(json.loads(text("stats.json")))
expect([s["disk"] for s in stats] == [0, 1], "stats: disks")
expect(COUNTERS <= set(stats[0]), "stats: counters")
expect(set(stats[0]["controller"]) == EXITS, "stats: the controller's counters")
expect(stats[0]["controller"]["commands"] >= stats[0]["reads"], "stats: commands")
expect(sum(stats[0]["latency"]["disk"]) > 0, "stats: latencies")
expect(not any(map(sum, stats[1]["latency"].values())), "stats: of an idle disk")

for line in json.loads(text("top.json")):
    expect(line["disk-p50-ns"] <= line["disk-p99-ns"], "top: percentiles")
    expect(line["total-p50-ns"] <= line["total-p99-ns"], "top: total")
    expect(line["read-bytes-per-second"] > line["reads-per-second"], "top: bytes")
    expect(line["exits-per-second"] > 0, "top: exits")
    expect(line["exits-saved-per-second"] >= 0, "top: exits saved")

histogram = json.loads(text("histogram.json"))
expect({len(h["counts"]) for h in histogram.values()} == {36}, "histogram: counts")
expect(histogram["disk"]["p50-ns"] <= histogram["disk"]["p99-ns"], "histogram")
svg = xml.etree.ElementTree.fromstring(text("histogram.svg"))
expect(svg.tag.endswith("svg"), "histogram: drawing")
bars = [e for e in svg.iter() if e.tag.endswith("rect")]
expect(len(bars) > 2, "histogram: bars")

expect(json.loads(text("limit.json")) == {"iops-limit": 20, "bw-limit": 0}, "limit")
events = [json.loads(line) for line in text("trace.json").splitlines()]
expect(all("event" in e or "lost" in e for e in events), "trace: all is understood")
events = [e for e in events if "event" in e]
expect(events and all(e["domid"] == domid for e in events), "trace: domid")
expect(any(e["event"] == "ioemu_nvme_cmd" and e["words"] in (["read"], ["write"])
           for e in events), "trace: commands")

found = {c["result"] for c in json.loads(text("check.json"))}
expect(found <= {"ok", "warning", "error"} and "ok" in found, "check: results")

families = {f.name: f for f in parser.text_string_to_metric_families(text("stats.om"))}
expect(set(families) == {"xen_ioemu_" + c for c in COUNTERS | EXITS} | {"xen_ioemu_latency_seconds"},
       f"metrics: {sorted(families)}")
for family in families.values():
    unit = family.name.rsplit("_", 1)[1]
    expect(family.unit == (unit if unit in ("bytes", "seconds") else ""),
           f"{family.name}: unit {family.unit}")
    expect(family.documentation, f"{family.name}: help")
    for sample in family.samples:
        disk = set() if family.name[10:] in EXITS else {"disk"}
        expect({"domid", "domain", "devid"} | disk <= set(sample.labels),
               f"{family.name}: labels")
expect(families["xen_ioemu_in_flight"].type == "gauge", "type of in_flight")
expect(families["xen_ioemu_reads"].type == "counter", "type of reads")
reads = [s.value for s in families["xen_ioemu_reads"].samples
         if s.labels["domid"] == str(domid) and s.labels["disk"] == "0"]
expect(len(reads) == 1 and reads[0] >= stats[0]["reads"], "reads go on")
latency = families["xen_ioemu_latency_seconds"]
expect({s.name[len(latency.name):] for s in latency.samples} == {"_bucket", "_count", "_sum"},
       "parts of a histogram")
disk = {s.name[len(latency.name):]: s.value for s in latency.samples
        if s.labels["domid"] == str(domid) and s.labels["disk"] == "0"
        and s.labels["stage"] == "disk" and s.labels.get("le", "+Inf") == "+Inf"}
# The file of sums is read after that of counts, and only later ones are in it.
expect(disk["_bucket"] == disk["_count"], "count of a histogram")
expect(0 < disk["_sum"] < 3600 and disk["_sum"] / disk["_count"] < 60, "sum of a histogram")
print(f"{len(families)} families of metrics, {len(bars)} bars")
