#!/usr/bin/env bash
# Fills both databases with half a million cases and measures the register on them; see REGISTER.md. CITYLINE_CASES for another number,
# CITYLINE_PARTS for some parts alone (known,searched,listed,figured,verified,written), CITYLINE_BASE for a database that stays.
set -euo pipefail
cd "$(dirname "$0")/../.."
# Without link-time optimisation: the measurement is a test, and links within minutes so.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
exec cargo test --release --workspace --lib -- --ignored half_a_million --nocapture --test-threads 1
