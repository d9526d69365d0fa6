#!/usr/bin/env bash
# Ten thousand calls over a poor line. Writes tools/soak/LINES.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

report=$PWD/tools/soak/LINES.md
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT

SOAK_SETUPS=${SETUPS:-10000} SOAK_AT_ONCE=${AT_ONCE:-60} SOAK_REPORT=$figures \
    cargo test --profile "${PROFILE:-release}" --test it -- --nocapture --test-threads 1 calls::poor

{
    echo "# The last run of \`tools/soak/lines.sh\`"
    echo
    echo "$(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $(nproc) cores, profile ${PROFILE:-release}."
    echo
    echo "| what | measured |"
    echo "|---|---|"
    cat "$figures"
} >"$report"
cat "$report"
