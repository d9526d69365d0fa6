#!/usr/bin/env python3
"""Prints what became of the runs of `run.sh --queues`: how soon a free operator's phone rings again, and what the core costs."""
import json
import pathlib
import sys


def metrics(path):
    """The server's own figures, by their names without labels."""
    lines = (line.rpartition(" ") for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines if "{" not in name}


def row(folder, run):
    report = json.loads((folder / f"queue-{run}.json").read_text())
    told = metrics(folder / f"queue-{run}.metrics")
    rings = report["next_ring_ms"]
    inputs, spent_us = told["cityline_core_inputs_total"], told["cityline_core_cpu_us_total"]
    return [
        str(run),
        f"{report['calls']}",
        f"{rings['count']}",
        f"{rings['p50']:.1f}",
        f"{rings['p95']:.1f}",
        f"{rings['p99']:.1f}",
        f"{rings['max']:.1f}",
        f"{inputs:,.0f}",
        f"{spent_us / 1e6:.2f} s",
        f"{spent_us / inputs:.1f} µs",
        f"{report['server']['core_pct']:.0f} %",
        "yes" if report["valid"] else "no",
    ]


def main():
    folder = pathlib.Path(sys.argv[1])
    head = ["run", "waiting", "next rings", "p50, ms", "p95", "p99", "latest", "inputs to the core", "core, whole run", "an input", "server, of one core", "tool in time"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for report in sorted(folder.glob("queue-?.json")):
        print("| " + " | ".join(row(folder, report.stem[-1])) + " |")


if __name__ == "__main__":
    main()
