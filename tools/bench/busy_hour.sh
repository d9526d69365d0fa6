#!/usr/bin/env bash
# Half an hour of a busy morning, twice: simulated, and lived over SIP by phones that talk, with the same callers, patience and talks.
# Prints what came of both and whether the server's journal replays; tools/bench/BUSY_HOUR.md keeps the last figures.
# busy_hour.sh [SCENARIO...]: tools/simulate/busy-hour.toml and busy-hour-skills.toml unless others are named. They are lived at the same time.
# PROFILE (release) names the build.
set -euo pipefail
cd "$(dirname "$0")/../.."

scenarios=("$@")
[ ${#scenarios[@]} -gt 0 ] || scenarios=(tools/simulate/busy-hour.toml tools/simulate/busy-hour-skills.toml)
programs=target/${PROFILE:-release}
for program in cityline cityline-load; do
    [ -x "$programs/$program" ] || { echo "busy hour: $programs/$program is not built: cargo build --release --workspace" >&2; exit 1; }
done
first=()
if nice -n -15 true 2>/dev/null; then
    first=(nice -n -15)
fi
rm -rf var/busy
mkdir -p var/busy

# live SCENARIO PORT FOLDER: the settings are made from the scenario, so that both have the same queues and operators.
live() {
    local scenario=$1 port=$2 folder=$3 server
    "$programs/cityline" simulate --draw "$scenario" >"$folder/drawn.csv"
    python3 tools/bench/busy_hour.py settings "$scenario" "$port" "$folder"
    "$programs/cityline" simulate --json "$scenario" >"$folder/simulated.json" 2>/dev/null
    "${first[@]}" "$programs/cityline" --config "$folder/cityline.toml" serve 2>"$folder/log" &
    server=$!
    for _ in $(seq 300); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$((port + 2))") 2>/dev/null; then break; fi
        kill -0 "$server" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
        sleep 0.1
    done
    "${first[@]}" "$programs/cityline-load" --mode day --target "127.0.0.1:$port" --operators-at "127.0.0.1:$((port + 1))" \
        --drawn "$folder/drawn.csv" --ring-ms 3000 --target-s 20 --report "$folder/lived.json" >/dev/null 2>"$folder/load.log" || true
    curl --silent "http://127.0.0.1:$((port + 2))/metrics" >"$folder/metrics" || true
    kill "$server"
    wait "$server" || true
    for segment in "$folder"/data/journal/*.journal; do
        "$programs/cityline" replay "$segment"
    done >"$folder/replay" 2>&1 || true
}

"$programs/cityline" --config tools/bench/peers.toml prompts build >/dev/null
port=5260
lives=()
for scenario in "${scenarios[@]}"; do
    folder=var/busy/$(basename "$scenario" .toml)
    mkdir -p "$folder"
    live "$scenario" "$port" "$folder" &
    lives+=($!)
    port=$((port + 100))
done
for life in "${lives[@]}"; do wait "$life"; done
python3 tools/bench/busy_hour.py compare var/busy/*/
