# SPDX-License-Identifier: GPL-2.0
"""Plots of the results, as SVG."""

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt  # noqa: E402

import plan    # noqa: E402
import table   # noqa: E402

# The same results give the same bytes, and text stays text.
matplotlib.rcParams.update({
    "svg.hashsalt": "xen-ioemu", "svg.fonttype": "none", "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False,
})
COLOURS = dict(zip(plan.PATHS, ("#999999", "#0072b2", "#d55e00", "#009e73",
                                "#56b4e9", "#cc79a7", "#e69f00", "#b8a800",
                                "#444444")))
POINTS = (("p50_us", "p50"), ("p90_us", "p90"), ("p99_us", "p99"),
          ("p999_us", "p99.9"), ("max_us", "max"))


def _title(view, disk):
    return f"{table.VIEW_TITLES[view]}, {table.DISK_TITLES[disk]}"


def _save(fig, path):
    fig.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plt.close(fig)
    # As other sources: no blanks at the end of a line, and a licence.
    first, *rest = [line.rstrip() for line in path.read_text().splitlines()]
    spdx = "<!-- SPDX-License-Identifier: GPL-2.0 -->"
    path.write_text("\n".join([first, spdx, *rest]) + "\n")
    return path


def _iops(results, title, path):
    names = [n for n in ("randread-qd1", "randread-qd4", "randread-qd32",
                         "randwrite-qd1", "randwrite-qd32")
             if any(table.row_name(r) == n for r in results)]
    paths = [p for p in plan.PATHS if any(r["path"] == p for r in results)]
    if not names:
        return None
    fig, ax = plt.subplots(figsize=(8, 3.5))
    width = 0.85 / len(paths)
    for i, p in enumerate(paths):
        mine = {table.row_name(r): r["iops"] for r in results if r["path"] == p}
        ax.bar([n + (i - (len(paths) - 1) / 2) * width for n in range(len(names))],
               [mine.get(n, 0) for n in names], width, color=COLOURS[p], label=p)
    ax.set_yscale("log")
    ax.set_xticks(range(len(names)), names)
    ax.set_ylabel("IOPS")
    ax.set_title(f"{title}: 4 KiB requests")
    ax.grid(axis="y", alpha=0.3)
    ax.legend(ncol=1, bbox_to_anchor=(1.01, 1), loc="upper left", frameon=False)
    return _save(fig, path)


def _latency(results, title, path):
    mine = [r for r in results if table.row_name(r) == "randread-qd1"]
    if not mine:
        return None
    fig, ax = plt.subplots(figsize=(8, 3.5))
    for r in mine:
        ax.plot([label for _, label in POINTS], [r[key] for key, _ in POINTS],
                marker="o", markersize=4, color=COLOURS[r["path"]], label=r["path"])
    ax.set_yscale("log")
    ax.set_ylabel("us from submission to completion")
    ax.set_title(f"{title}: random 4 KiB reads at depth 1")
    ax.grid(axis="y", alpha=0.3)
    ax.legend(ncol=1, bbox_to_anchor=(1.01, 1), loc="upper left", frameon=False)
    return _save(fig, path)


def draw(results, directory):
    """Two plots for each view and disk; their files."""
    files = []
    for view in plan.VIEWS:
        for disk in plan.DISKS:
            mine = [r for r in results if r["view"] == view and r["disk"] == disk]
            for what, function in (("iops", _iops), ("latency", _latency)):
                files.append(function(mine, _title(view, disk),
                                      directory / f"{what}-{view}-{disk}.svg"))
    return [f for f in files if f]
