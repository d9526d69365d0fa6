#!/usr/bin/env bash
# The long forms of some tests: crashes in mid-call, outages of disk and database, and a recorded talk of ten minutes.
# Writes tools/soak/REPORT.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tools/soak/table.sh

export SOAK_KILLS=${KILLS:-10} SOAK_TALK_S=${TALK_S:-600} SOAK_OUTAGE_S=${OUTAGE_S:-60}
export SOAK_CRASHES=${CRASHES:-10} SOAK_TALKS=${TALKS:-50} SOAK_WAITS=${WAITS:-100}
# The many callers of the first one run alone; whatever fails, the others are run and the table is written.
failed=0
soak calls::recovery || failed=1
soak --test-threads 2 calls::crash calls::disk calls::away calls::length || failed=1

table "The last \`make soak\`" tools/soak/REPORT.md
exit "$failed"
