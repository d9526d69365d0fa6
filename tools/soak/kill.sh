#!/usr/bin/env bash
# The long forms of two tests: ten crashes in mid-call, and a recorded talk of ten minutes. Writes tools/soak/REPORT.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

report=$PWD/tools/soak/REPORT.md
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT

SOAK_KILLS=${KILLS:-10} SOAK_TALK_S=${TALK_S:-600} SOAK_REPORT=$figures \
    cargo test --profile "${PROFILE:-release}" --test it -- --nocapture --test-threads 2 calls::crash calls::length

{
    echo "# The last \`make soak\`"
    echo
    echo "$(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $(nproc) cores, profile ${PROFILE:-release}."
    echo
    echo "| what | measured |"
    echo "|---|---|"
    cat "$figures"
} >"$report"
cat "$report"
