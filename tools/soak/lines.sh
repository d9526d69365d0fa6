#!/usr/bin/env bash
# Ten thousand calls over a poor line. Writes tools/soak/LINES.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tools/soak/table.sh

failed=0
SOAK_SETUPS=${SETUPS:-10000} SOAK_AT_ONCE=${AT_ONCE:-60} soak calls::poor || failed=1
table "The last run of \`tools/soak/lines.sh\`" tools/soak/LINES.md
exit "$failed"
