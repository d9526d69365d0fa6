#!/usr/bin/env bash
# Keeps Cityline running where there is no systemd: starts it again when it ends by itself, at once after a long life, and more and more
# slowly when it dies young. TERM and INT end both, HUP is passed on.
#   tools/supervise.sh target/release/cityline --config city.toml serve
set -u

[ $# -gt 0 ] || { echo "usage: $0 PROGRAM [ARGUMENT...]" >&2; exit 2; }

FIRST_PAUSE_MS=${FIRST_PAUSE_MS:-200} # before the first new start; doubled for each process that dies young
LAST_PAUSE_MS=${LAST_PAUSE_MS:-10000}
LONG_LIFE_S=${LONG_LIFE_S:-30} # who lived this long did not die young

child=
stopping=
on_end() {
    stopping=1
    [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
on_hup() {
    [ -z "$child" ] || kill -HUP "$child" 2>/dev/null
}
trap on_end TERM INT
trap on_hup HUP

# As many files as the system allows: two sockets a leg.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

pause_ms=$FIRST_PAUSE_MS
while [ -z "$stopping" ]; do
    started=$SECONDS
    "$@" &
    child=$!
    # A trapped signal ends `wait` early: the child is waited for until it is gone.
    while :; do
        wait "$child"
        status=$?
        kill -0 "$child" 2>/dev/null || break
    done
    child=
    [ -z "$stopping" ] || exit "$status"
    if [ $((SECONDS - started)) -ge "$LONG_LIFE_S" ]; then
        pause_ms=$FIRST_PAUSE_MS
    fi
    echo "supervise: $1 ended with status $status; again in $pause_ms ms" >&2
    sleep "$((pause_ms / 1000)).$(printf '%03d' $((pause_ms % 1000)))" &
    wait $!
    pause_ms=$((pause_ms * 2 < LAST_PAUSE_MS ? pause_ms * 2 : LAST_PAUSE_MS))
done
