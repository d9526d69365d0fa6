#!/usr/bin/env bash
# Measures what a browser leg costs the server: PAGES operators at pages (tools/browsers: another implementation of WebRTC than ours) talk
# with as many SIP callers (tools/load) for SECONDS, each talk recorded. Prints the report; BROWSER.md keeps those that were made.
# CITYLINE and LOAD name the programs; without them the optimised build of this folder.
set -euo pipefail
cd "$(dirname "$0")/../.."

pages=${PAGES:-200} seconds=${SECONDS_MEASURED:-60}
cityline=${CITYLINE:-target/release/cityline} load=${LOAD:-target/release/cityline-load}
browsers=tools/browsers/target/release/cityline-browsers
for program in "$cityline" "$load"; do
    [ -x "$program" ] || { echo "browsers: $program is not built: cargo build --release --workspace" >&2; exit 1; }
done
[ -x "$browsers" ] || cargo build --release --manifest-path tools/browsers/Cargo.toml
ulimit -n "$(ulimit -Hn)"

work=var/bench/browsers
rm -rf "$work"
mkdir -p "$work"
prompts=${PROMPTS:-var/prompts}
{
    cat <<TOML
dialplans = ["$PWD/tools/bench/plans/400.toml"]
[data]
folder = "$work/data"
prompts = "$prompts"
[sip]
udp = "127.0.0.1:5360"
tcp = "127.0.0.1:5360"
[media]
ports = [50000, 53999]
webrtc_port = 49998
[web]
listen = "127.0.0.1:8310"
[trunks.loopback]
from = ["127.0.0.0/8"]
[queues.bench]
skills = ["bench"]
language_required = false
announce_every_ms = 0
wrap_up_ms = 0
max_waiting = 100000
record = true
[operators]
TOML
    seq -f 'page%03g = { skills = ["bench"], browser = true }' "$pages"
} >"$work/city.toml"
[ -d "$prompts" ] || "$cityline" --config "$work/city.toml" prompts build >/dev/null
for name in $(seq -f 'page%03g' "$pages"); do
    echo "pw-$name" | "$cityline" --config "$work/city.toml" user add "$name" --role operator >/dev/null 2>&1
done

server='' callers=''
stop() {
    [ -z "$callers" ] || kill "$callers" 2>/dev/null || true
    [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
}
trap stop EXIT
CITYLINE_LOG=warn "$cityline" --config "$work/city.toml" serve 2>"$work/server.log" &
server=$!
for _ in $(seq 200); do
    if curl -sf http://127.0.0.1:8310/readyz >/dev/null; then break; fi
    kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; exit 1; }
    sleep 0.1
done

"$browsers" 127.0.0.1:8310 "$pages" "$seconds" "$server" "$work/pages.json" >"$work/browsers.log" 2>&1 &
measuring=$!
until grep -q 'pages are ready' "$work/browsers.log"; do
    kill -0 "$measuring" 2>/dev/null || { cat "$work/browsers.log" >&2; exit 1; }
    sleep 0.2
done
# Callers stay longer than the pages measure: what they hear is counted in a window of their own.
"$load" --mode music --target 127.0.0.1:5360 --number 400 --calls "$pages" --rate 20 --seconds "$((seconds + 20))" --pid "$server" \
    --report "$work/callers.json" >"$work/callers.log" 2>&1 &
callers=$!
wait "$measuring" || { cat "$work/browsers.log" "$work/callers.log" >&2; exit 1; }
wait "$callers" || true
callers=''
cat "$work/pages.json"
python3 - "$work/callers.json" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
print(json.dumps({key: report[key] for key in ("reached", "failed", "set_up_ms", "first_packet_ms", "callers") if key in report}, indent=2))
PY
