# SPDX-License-Identifier: GPL-2.0
"""Results as tables of text."""

import plan

VIEW_TITLES = {
    "wall": "Wall clock",
    "shared": "Wall clock, dom0 shares its CPUs",
    "exact": "Instruction-exact",
}
DISK_TITLES = {
    "fast": "null_blk",
    "slow": "null_blk with 100 us of latency",
}
# key of results.json, heading
COUNTS = (
    ("ioreqs", "ioreqs"),
    ("dm_switches", "QEMU switches"),
    ("dom0_switches", "dom0 switches"),
    ("dom0_irqs", "dom0 events"),
    ("dom0_cpu_us", "dom0 CPU us"),
    ("guest_cpu_us", "guest CPU us"),
    ("exits", "exits"),
    ("copies", "copies"),
)


def number(value):
    """Three digits that mean something."""
    if value is None:
        return ""
    if isinstance(value, int) or value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def render(headings, rows, markdown):
    """A table with columns of equal width."""
    cells = [headings] + rows
    widths = [max(len(r[i]) for r in cells) for i in range(len(headings))]
    lines = []
    for n, row in enumerate(cells):
        text = [c.ljust(w) if i == 0 else c.rjust(w)
                for i, (c, w) in enumerate(zip(row, widths))]
        if markdown:
            lines.append("| " + " | ".join(text) + " |")
            if n == 0:
                lines.append("|" + "|".join(
                    "-" * (w + 1) + ("-" if i == 0 else ":")
                    for i, w in enumerate(widths)) + "|")
        else:
            lines.append("  ".join(text).rstrip())
    return "\n".join(lines)


def row_name(result):
    """What plan.name() calls it."""
    row = plan.Row(*(result.get(f, 0) for f in plan.Row._fields))
    return plan.name(row)


def _by_name(results):
    groups = {}
    for r in results:
        groups.setdefault(row_name(r), {})[r["path"]] = r
    return groups


def _iops(results, markdown):
    groups = _by_name(results)
    names = list(groups)
    paths = [p for p in plan.PATHS if any(p in g for g in groups.values())]
    rows = []
    for path in paths:
        cells = []
        for n in names:
            r, pv = groups[n].get(path), groups[n].get("pv")
            if not r:
                cells.append("")
            elif not pv or path == "dom0":
                cells.append(number(r["iops"]))
            else:
                cells.append(f"{number(r['iops'])} ({r['iops'] / pv['iops']:.2f})")
        rows.append([path] + cells)
    return render(["IOPS (ratio to PV)"] + names, rows, markdown)


LATENCIES = (("p50_us", "p50"), ("p90_us", "p90"), ("p99_us", "p99"),
             ("p999_us", "p99.9"), ("max_us", "max"))


def _latency(title, group, order, base, markdown):
    rows = []
    for path in order:
        if path not in group:
            continue
        r, pv = group[path], group.get(base)
        cells = [number(r[key]) for key, _ in LATENCIES]
        cells.append(f"{r['p50_us'] / pv['p50_us']:.2f}" if pv else "")
        rows.append([path] + cells)
    heads = [title] + [h for _, h in LATENCIES] + [f"p50 to {base}"]
    return render(heads, rows, markdown)


def _counts(title, group, markdown):
    columns = [(k, h) for k, h in COUNTS if any(k in r for r in group.values())]
    if not columns:
        return ""
    rows = [[path] + [number(group[path].get(k)) for k, _ in columns]
            for path in plan.PATHS if path in group]
    return render([title] + [h for _, h in columns], rows, markdown)


def _heading(text, level, markdown):
    return f"{'#' * level} {text}" if markdown else text.upper() if level == 2 else text


def _view(results, markdown):
    for disk, title in DISK_TITLES.items():
        mine = [r for r in results if r["disk"] == disk]
        if not mine:
            continue
        yield _heading(title, 3, markdown)
        yield _iops(mine, markdown)
        groups = _by_name(mine)
        for name in ("randread-qd1", "randread-qd32"):
            if name in groups:
                yield _latency(f"us, {name}", groups[name], plan.PATHS, "pv", markdown)
                yield _counts(f"per I/O, {name}", groups[name], markdown)
    traps = _by_name(r for r in results if r["disk"] == "trap")
    if traps:
        yield _heading("One trapped access", 3, markdown)
        for name, group in traps.items():
            yield _latency(f"us, {name}", group, plan.TRAP_PATHS, "xen", markdown)


def text(results, markdown=False):
    """All tables."""
    blocks = []
    for view, title in VIEW_TITLES.items():
        mine = [r for r in results if r["view"] == view]
        if mine:
            blocks.append(_heading(title, 2, markdown))
            blocks += _view(mine, markdown)
    return "\n\n".join(b for b in blocks if b) + "\n"
