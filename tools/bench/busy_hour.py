"""Which settings does a simulated scenario have on a real server, and how far apart are what was simulated and what was lived?"""

import json
import pathlib
import sqlite3
import sys
import tomllib


def settings(scenario, port, folder):
    """Writes cityline.toml and a dialplan for each kind of caller, and their numbers into drawn.csv. Operators' phones are at the port after
    the server's."""
    day = tomllib.loads(pathlib.Path(scenario).read_text())
    folder, port = pathlib.Path(folder), int(port)
    plans, numbers = [], {}
    for queue, load in day["queues"].items():
        for language in load.get("languages") or {"en": 1}:
            number = str(500 + len(plans))
            numbers[f"{queue}-{language}"] = number
            plan = f'number = "{number}"\ntitle = "{queue} in {language}"\nlanguages = ["{language}"]\nstart = "start"\n\n'
            plan += f'[steps.start]\nkind = "queue"\nqueue = "{queue}"\n'
            (folder / f"{number}.toml").write_text(plan)
            plans.append(f"{number}.toml")
    drawn = [line.split(",") for line in (folder / "drawn.csv").read_text().splitlines()]
    (folder / "drawn.csv").write_text("".join(",".join([at, numbers.get(door, door), *rest]) + "\n" for at, door, *rest in drawn))
    text = f"""pause_reasons = []
dialplans = {json.dumps(plans)}
[data]
folder = "{folder}/data"
prompts = "var/prompts"
[sip]
udp = "127.0.0.1:{port}"
tcp = "127.0.0.1:{port}"
realm = "127.0.0.1"
[media]
address = "127.0.0.1"
ports = [{30000 + (port - 5260) * 20}, {30990 + (port - 5260) * 20}]
webrtc_port = {port + 3}
[web]
listen = "127.0.0.1:{port + 2}"
[trunks.loopback]
from = ["127.0.0.0/8"]
[calendars]
"""
    for queue, load in day["queues"].items():
        text += f"""[queues.{queue}]
skills = {json.dumps(load.get("skills", []))}
language_required = {json.dumps(bool(load.get("languages")))}
announce_every_ms = {day["announce_every_s"] * 1000}
wrap_up_ms = {round(load["wrap_up"]["mean_s"] * 1000)}
max_waiting = 1000
offer_ms = 30000
"""
    text += "[operators]\n"
    for group, crew in day["operators"].items():
        for n in range(1, crew["count"] + 1):
            text += f'{group}-{n} = {{ skills = {json.dumps(crew["skills"])}, address = "sip:{group}-{n}@127.0.0.1:{port + 1}" }}\n'
    (folder / "cityline.toml").write_text(text)


def lived(folder):
    """What the server itself has on record: callers, answered, answered in target, abandoned, seconds to the answer."""
    [database] = folder.glob("data/*.db")
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT how, waited_ms FROM queue_events").fetchall()
    answered = [ms for how, ms in rows if how == "answered"]
    return {
        "offered": len(rows),
        "answered": len(answered),
        "abandoned": sum(how == "abandoned" for how, _ in rows),
        "service_level": sum(ms <= 20_000 for ms in answered) / max(len(rows), 1),
        "asa_s": sum(answered) / 1000 / max(len(answered), 1),
    }


def core(folder):
    """Inputs and processor time of the core, where the server tells them."""
    told = {}
    for line in (folder / "metrics").read_text().splitlines():
        name, _, value = line.rpartition(" ")
        if name.startswith("cityline_core_"):
            told[name] = float(value)
    return told


def compare(folders):
    print("| scenario | | offered | answered | abandoned | service level | ASA | chirps heard / missing / damaged | crossed, deaf | tool in time | replay |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for folder in map(pathlib.Path, folders):
        drawn = json.loads((folder / "simulated.json").read_text())["all"]
        waits = drawn["counts"]["waits"]
        print(
            f"| {folder.name} | simulated | {waits['offered']} | {waits['answered']} | {waits['abandoned']} "
            f"| {drawn['service_level'] * 100:.1f} % | {drawn['asa_s']:.1f} s | | | | |"
        )
        real, heard = lived(folder), json.loads((folder / "lived.json").read_text())
        same = (folder / "replay").read_text()
        identical = "every output and every fact is the same" in same and "otherwise" not in same
        print(
            f"| | lived | {real['offered']} | {real['answered']} | {real['abandoned']} | {real['service_level'] * 100:.1f} % | {real['asa_s']:.1f} s "
            f"| {heard['chirps']} / {heard['chirps_missing']} / {heard['chirps_damaged']} | {heard['crossed']}, {heard['deaf']} "
            f"| {'yes' if heard['valid'] else 'no'} | {'identical' if identical else 'differs'} |"
        )
        apart = abs(drawn["service_level"] - real["service_level"]) * 100
        print(f"\n{folder.name}: {apart:.1f} points apart, {heard['failed']} calls failed; core: {core(folder)}\n")


if __name__ == "__main__":
    {"settings": lambda: settings(*sys.argv[2:]), "compare": lambda: compare(sys.argv[2:])}[sys.argv[1]]()
