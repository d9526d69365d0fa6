#!/usr/bin/env bash
# Asks a running server everything that its OpenAPI document allows and forbids, with schemathesis, as three kinds of asker.
# CITYLINE names the program (target/debug/cityline); EXAMPLES how many requests are drawn for each route and asker.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${CITYLINE:-target/debug/cityline}
examples=${EXAMPLES:-8}
venv=$PWD/target/contract
# Every package in the version that was tried; contract.txt names them.
if ! cmp -s tools/contract.txt "$venv/installed.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement tools/contract.txt
    cp tools/contract.txt "$venv/installed.txt"
fi

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$work"' EXIT
address=127.0.0.1:18209
cat > "$work/contract.toml" <<TOML
[data]
folder = "$work/var"
prompts = "var/prompts"
[sip]
udp = "127.0.0.1:15260"
tcp = "127.0.0.1:15260"
[media]
ports = [27000, 27999]
webrtc_port = 0
[web]
listen = "$address"
TOML
"$program" prompts build >/dev/null
for role in supervisor administrator; do
    echo "secret-$role" | "$program" --config "$work/contract.toml" user add "$role" --role "$role" >/dev/null 2>&1
done
"$program" --config "$work/contract.toml" serve 2>"$work/log" &
server=$!
for _ in $(seq 100); do
    if curl -sf "http://$address/livez" >/dev/null; then break; fi
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done

# Signs in, and prints the cookie.
signed_in() {
    curl -sf -D - -o /dev/null -H 'Content-Type: application/json' -d "{\"name\":\"$1\",\"password\":\"secret-$1\"}" "http://$address/api/login" |
        tr -d '\r' | sed -n 's/^set-cookie: cityline=\([^;]*\).*/\1/Ip'
}
asks() { # SESSION METHOD PATH [BODY]
    curl -sf -X "$2" -H "Cookie: cityline=$1" -H 'Content-Type: application/json' ${4:+-d "$4"} "http://$address$3"
}
supervisor=$(signed_in supervisor)
administrator=$(signed_in administrator)
asks "$administrator" PUT /api/organisations/heat '{"name":"Heat networks","calendar":"office","active":true,"revision":0}' >/dev/null
asks "$administrator" PUT /api/organisations/roads '{"name":"Roads","calendar":"office","active":true,"revision":0}' >/dev/null
routes=$(asks "$administrator" GET /api/routes | sed 's/.*"revision":"\([^"]*\)".*/\1/')
asks "$administrator" PUT /api/routes "{\"revision\":\"$routes\",\"routes\":[{\"topic\":\"heating\",\"organisation\":\"heat\"}]}" >/dev/null
asks "$supervisor" POST /api/cases '{"service":"109","topic":"heating","text":"cold","draft":"one"}' >/dev/null
asks "$supervisor" POST /api/residents '{"name":"Dana","consent":true,"numbers":["+77142000003"]}' >/dev/null
asks "$supervisor" POST /api/works '{"topic":"water","begins":0,"ends":9999999999999,"owner":"heat","notice":{"kk":"a","ru":"b","uk":"c","en":"d"}}' >/dev/null
asks "$supervisor" POST /api/cases '{"service":"109","topic":"water","text":"none","draft":"two"}' >/dev/null
key=$(asks "$administrator" POST /api/organisations/heat/key | sed 's/.*"key":"\([^"]*\)".*/\1/')

status=0
for who in supervisor key administrator; do
    echo "== $who"
    case $who in
        key) auth="key.bearer = \"$key\"" ;;
        *) auth="session.api_key = \"${!who}\"" ;;
    esac
    { cat tools/contract.toml; printf '\n[auth.openapi]\n%s\n' "$auth"; } >"$work/schemathesis.toml"
    # Streams never end and are tested in tests/it/api; signing out would end the session; sign-in locks whoever guesses.
    (cd "$work" && "$venv/bin/schemathesis" --config-file schemathesis.toml run "http://$address/api/openapi.json" \
        --max-examples "$examples" --phases examples,coverage,fuzzing --workers 1 --seed 109 --continue-on-failure --no-color --warnings off \
        --exclude-path /api/live --exclude-path /desk --exclude-path /api/logout --exclude-path /api/login) || status=1
done
kill -0 "$server" || { echo "contract: the server has ended" >&2; tail -n 20 "$work/log" >&2; exit 1; }
if grep -qE 'panicked|request failed' "$work/log"; then
    echo "contract: the server's log tells of failures" >&2
    grep -E 'panicked|request failed' "$work/log" | head -n 20 >&2
    status=1
fi
exit $status
