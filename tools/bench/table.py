#!/usr/bin/env python3
"""Prints the reports of a benchmark's runs as one table, or puts it into a document between its two marks."""
import argparse
import glob
import json
import os
import platform
import sys

SERIES = {
    "setups": "set-up and end of a call",
    "prompt": "callers hearing a prompt",
    "music": "callers on music",
    "bridged": "bridged and recorded",
    "opus": "bridged and recorded, A-law to Opus",
    "g722": "bridged and recorded, A-law to G.722",
    "encrypted": "bridged and recorded, SRTP on both sides",
    "mixed": "rooms of three who all talk, recorded",
    "queue": "waiting, 30 operators",
    "register": "REGISTER with digest",
}
HEAD = ["what", "load", "CPU", "a call, KB", "set-up, ms p50 / p99", "packets", "gaps > 40 ms", "content", "load tool's own lateness", "verdict"]
BEGIN, END = "<!-- table -->", "<!-- end of table -->"


def reports(folder):
    """All reports, in the order of SERIES and of load."""
    found = [json.load(open(path)) for path in glob.glob(os.path.join(folder, "*.json"))]
    return sorted(found, key=lambda report: (list(SERIES).index(report["mode"]), report["rate"] if at_a_rate(report) else report["calls"]))


def at_a_rate(report):
    return report["mode"] in ("setups", "register")


def load(report):
    return f"{report['rate']:g} a second" if at_a_rate(report) else f"{report['calls']} at once"


def cost(report):
    if at_a_rate(report):
        return f"{report['cpu_ms_per_call']:.2f} ms each"
    share = report["server"]["core_pct"]
    return f"{share:.0f} % of a core" if report["mode"] == "queue" else f"{report['core_pct_per_100']:.1f} % per 100"


def sound(report):
    """Packets, gaps and content of both sides."""
    if at_a_rate(report):
        return "–", "–", "–"
    sides = [(report[side], report[side + "_content"]) for side in ("callers", "operators") if report[side]["legs"]]
    packets = min(flow["received_pct"] for flow, _ in sides) if sides else 0
    gaps = max(flow["over_40ms_pct"] for flow, _ in sides) if sides else 0
    return f"{packets:.2f} %", f"{gaps:.3f} %", "; ".join(content(judged) for _, judged in sides if judged["judged"]) or "–"


def content(judged):
    text = f"{judged['heard']} of {judged['judged']} heard"
    if judged["chirps"]:
        wrong = judged["chirps_missing"] + judged["chirps_repeated"] + judged["chirps_disordered"]
        text += f", {wrong} of {judged['chirps']} chirps wrong, {judged['crossed']} crossed"
    if judged["mouth_to_ear_ms"]["count"]:
        text += f", mouth to ear p95 {judged['mouth_to_ear_ms']['p95']:.0f} ms"
    return text


def own(report):
    latest = max(thread["latest_ms"] for thread in report["own"])
    late = sum(thread["ticks_over_10ms"] for thread in report["own"])
    return f"{late} ticks > 10 ms, latest {latest:.0f} ms"


def verdict(report):
    if not report["valid"]:
        return "void: the load tool was late"
    word = "clean" if report["pass"] else "not clean"
    if report["mode"] == "queue":
        ring = report["next_ring_ms"]
        word += f"; next ring p50 / p95 {ring['p50']:.1f} / {ring['p95']:.1f} ms, {report['talks_per_minute']:.0f} talks a minute"
    elif not report["pass"]:
        word += f": {report['failed'] + report['ended_early']} failed, {report['retransmitted'] + report['repeated']} repeated"
    return word


def row(report):
    packets, gaps, judged = sound(report)
    size = "–" if at_a_rate(report) else f"{report['kb_per_call']:.0f}"
    setup = f"{report['set_up_ms']['p50']:.1f} / {report['set_up_ms']['p99']:.1f}"
    return [SERIES[report["mode"]], load(report), cost(report), size, setup, packets, gaps, judged, own(report), verdict(report)]


def table(found):
    rows = [HEAD, ["---"] * len(HEAD)] + [row(report) for report in found]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def highest(found):
    """The highest clean load of each series."""
    lines = []
    for mode, name in SERIES.items():
        clean = [report for report in found if report["mode"] == mode and report["pass"]]
        lines.append(f"- {name}: {load(clean[-1]) if clean else 'none'}")
    return "Highest clean load that was tried:\n\n" + "\n".join(lines)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} cores of {model}, Linux {platform.release().split('-')[0]}; A-law, 20 ms, loopback; journal, store and recorder on."


def put_into(path, text):
    before, rest = open(path).read().split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    with open(path, "w") as document:
        document.write(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("reports", help="folder of the load tool's reports")
    options.add_argument("--into", help="document in which the table stands between its marks")
    given = options.parse_args()
    found = reports(given.reports)
    if not found:
        sys.exit(f"{given.reports} holds no reports: run tools/bench/run.sh")
    text = "\n\n".join([machine(), table(found), highest(found)])
    if given.into:
        put_into(given.into, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
