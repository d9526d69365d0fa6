#!/usr/bin/env bash
# An hour of a city with twenty times the demo's calls. Writes tools/soak/HOUR.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tools/soak/table.sh

failed=0
SOAK_FLAT_S=${HOUR_S:-3600} soak calls::flat || failed=1
table "The last run of \`tools/soak/hour.sh\`" tools/soak/HOUR.md
exit "$failed"
