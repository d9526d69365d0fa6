#!/usr/bin/env bash
# Sends the torture messages of RFC 4475 and RFC 5118 to the built server over UDP and TCP.
# TORTURE names torture.py; without it the copy that lies beside the repository is used.
set -euo pipefail
cd "$(dirname "$0")/.."

torture=${TORTURE:-../shared/sip-torture/torture.py}
[ -f "$torture" ] || { echo "torture: $torture is not there; set TORTURE to the path of torture.py" >&2; exit 1; }
program=${CITYLINE:-target/debug/cityline}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$work"' EXIT

cat > "$work/torture.toml" <<TOML
[data]
folder = "$work/var"
prompts = "var/prompts"
[sip]
udp = "127.0.0.1:15060"
tcp = "127.0.0.1:15060"
[media]
ports = [28000, 29999]
webrtc_port = 0
[web]
listen = "127.0.0.1:18109"
TOML
"$program" prompts build >/dev/null
"$program" --config "$work/torture.toml" serve 2>"$work/log" &
server=$!
for _ in $(seq 100); do
    if (exec 3<>/dev/tcp/127.0.0.1/15060) 2>/dev/null; then break; fi
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done

status=0
for transport in "" --tcp; do
    python3 "$torture" 127.0.0.1 15060 $transport --ruri sip:109@127.0.0.1:15060 --answer --pid "$server" --wait 0.5 --quiet --auth-register || status=1
done
exit $status
