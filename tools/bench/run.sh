#!/usr/bin/env bash
# Measures the built server with tools/load, server on one core, load on another, and prints one table.
# --quick takes about two minutes; without it every series climbs until it fails, and the table of REPORT.md is written anew.
# --queues takes five minutes: a thousand who wait and thirty operators, three times, with what the core costs, as in QUEUE.md.
# SIP names another address than 127.0.0.1:5060 where that one is busy.
set -euo pipefail
cd "$(dirname "$0")/../.."

kind=full
case "${1:-}" in
    "") ;;
    --quick) kind=quick ;;
    --queues) kind=queues ;;
    *) echo "bench: $1 is not known; --quick and --queues are" >&2; exit 2 ;;
esac
for program in target/release/cityline target/release/cityline-load; do
    [ -x "$program" ] || { echo "bench: $program is not built: cargo build --release --workspace" >&2; exit 1; }
done
ulimit -n "$(ulimit -Hn)"
sip=${SIP:-127.0.0.1:5060}
export CITYLINE_SIP__UDP=$sip CITYLINE_SIP__TCP=$sip CITYLINE_LOG=warn CITYLINE_DATA__FOLDER=var/bench/server
reports=var/bench/reports
rm -rf var/bench
mkdir -p "$reports"
target/release/cityline --config tools/bench/peers.toml prompts build >/dev/null

# A core each where there are two. Priority where this user may raise it: other programs then disturb less.
server_core=() load_core=() first=()
if [ "$(nproc)" -ge 2 ]; then
    server_core=(taskset -c 0) load_core=(taskset -c 1)
fi
if nice -n -15 true 2>/dev/null; then
    first=(nice -n -15)
fi

server=
stop_server() {
    [ -n "$server" ] || return 0
    curl --silent --max-time 5 http://127.0.0.1:8110/metrics >var/bench/metrics || true
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}
trap stop_server EXIT

# Where the kernel groups processes by session (autogroup), a priority counts within its session only: each program gets its own.
in_own_session='{ echo -15 >/proc/self/autogroup; } 2>/dev/null; exec "$@"'

# start_server MODE: in rooms of three the operators have accounts to sign in with.
start_server() {
    rm -rf "$CITYLINE_DATA__FOLDER"
    [ "$1" != mixed ] || cp -r var/bench/accounts "$CITYLINE_DATA__FOLDER"
    setsid bash -c "$in_own_session" server \
        "${first[@]}" "${server_core[@]}" target/release/cityline --config tools/bench/peers.toml serve 2>var/bench/server.log &
    server=$!
    for _ in $(seq 100); do
        if (exec 3<>/dev/tcp/127.0.0.1/8110) 2>/dev/null; then sleep 1; return; fi
        kill -0 "$server" 2>/dev/null || { cat var/bench/server.log >&2; exit 1; }
        sleep 0.1
    done
    echo "bench: the server does not come up; see var/bench/server.log" >&2
    exit 1
}

load() {
    setsid --wait bash -c "$in_own_session" load \
        "${first[@]}" "${load_core[@]}" target/release/cityline-load "$@"
}

# measure MODE NUMBER CALLS RATE [more]: a fresh server, one run; once more where the generator was late itself. Gives whether it passed.
measure() {
    local mode=$1 number=$2 calls=$3 rate=$4 report passed=1
    report=$reports/$mode-$number-$calls-$rate.json
    shift 4
    for _ in 1 2; do
        start_server "$mode"
        if load --mode "$mode" --target "$sip" --number "$number" --calls "$calls" --rate "$rate" --pid "$server" --report "$report" "$@" 2>/dev/null; then
            passed=0
        fi
        stop_server
        if grep -q '"valid": true' "$report"; then break; fi
    done
    return $passed
}

# climb MODE NUMBER RATE COUNTS...: numbers of callers until one does not pass.
climb() {
    local mode=$1 number=$2 rate=$3 calls
    shift 3
    for calls in "$@"; do
        measure "$mode" "$number" "$calls" "$rate" --seconds "$seconds" || break
    done
}

# The accounts of those who make rooms of three, kept beside the servers' own folder.
add_accounts() {
    local name
    for name in $(seq -f 'room%03g' 100); do
        echo "pw-$name" | CITYLINE_DATA__FOLDER=var/bench/accounts target/release/cityline --config tools/bench/peers.toml user add "$name" --role operator
    done >/dev/null 2>&1
}

climb_rates() {
    local mode=$1 number=$2 rate
    shift 2
    for rate in "$@"; do
        measure "$mode" "$number" $((rate * seconds)) "$rate" --operators 1000 --register reg:pw || break
    done
}

if [ $kind = queues ]; then
    for run in 1 2 3; do
        measure queue 400 1000 40 --seconds 40 || true
        mv "$reports/queue-400-1000-40.json" "var/bench/queue-$run.json"
        mv var/bench/metrics "var/bench/queue-$run.metrics"
    done
    python3 tools/bench/queue.py var/bench
elif [ $kind = quick ]; then
    seconds=6
    climb_rates setups 100 200
    climb prompt 200 100 300
    climb music 410 100 300
    climb bridged 300 50 100
    climb opus 300 50 50
    climb g722 300 50 50
    climb encrypted 302 50 100
    add_accounts
    climb mixed 420 10 20
    measure queue 400 100 40 --seconds 12 || true
    climb_rates register - 200
    python3 tools/bench/table.py "$reports"
else
    seconds=12
    climb_rates setups 100 50 200 500 1000 1500 2000
    climb prompt 200 100 100 300 500 750 1000 1500 2000
    climb music 410 100 100 300 500 1000 1500
    climb bridged 300 50 100 200 300 500 750 1000
    climb opus 300 50 50 100 200 300
    climb g722 300 50 50 100 200 300
    climb encrypted 302 50 100 200 300 500
    add_accounts
    climb mixed 420 10 20 50 100
    for waiting in 300 1000; do
        measure queue 400 "$waiting" 40 --seconds 40 || true
    done
    climb_rates register - 100 200 400 800
    python3 tools/bench/table.py "$reports" | tee var/bench/table.md
    python3 tools/bench/table.py --into tools/bench/REPORT.md "$reports"
fi
