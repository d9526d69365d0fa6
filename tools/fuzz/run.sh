#!/usr/bin/env bash
# Mutated input against every reader of network, files and people, for MINUTES (30) in all; writes REPORT.md beside this file.
# SEED repeats a run, THREADS (2) run at once; NAME=word takes the targets whose tests' names have the word. What a target stumbles over lies in
# findings/ as it was.
set -euo pipefail
cd "$(dirname "$0")/../.."

minutes=${MINUTES:-30} threads=${THREADS:-2} seed=${SEED:-$(date +%s)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
findings=$PWD/tools/fuzz/findings
mkdir -p "$findings"
tests() { cargo test --quiet --workspace --lib --profile fuzz -- "${NAME:-fuzz}" --skip fuzz::tests "$@"; }

cargo test --workspace --lib --profile fuzz --no-run
count=$(tests --list 2>/dev/null | grep -c ': test$' || true)
[ "$count" -gt 0 ] || { echo "fuzz: no target has ${NAME:-fuzz} in its name" >&2; exit 1; }
seconds=$((minutes * 60 * threads / count))
echo "fuzz: $count targets, $seconds s each, seed $seed"

status=0
FUZZ_SECONDS=$seconds FUZZ_SEED=$seed FUZZ_FINDINGS=$findings FUZZ_REPORT=$work/table RUST_BACKTRACE=0 \
    tests --test-threads "$threads" --nocapture > "$work/log" 2>&1 || status=$?

{
    echo "# Fuzzing"
    echo
    echo "The last run of \`make fuzz\`; [README.md](README.md) says what it does and what it has found."
    echo
    echo "- $(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD)$([ -z "$(git status --porcelain -- src Cargo.toml)" ] || echo ' with changes'), $(rustc --version | cut -d' ' -f1-2), release with checks of overflow"
    echo "- $count targets, $seconds s each, $threads at once, seed $seed"
    echo
    echo "| target | inputs | of new outcomes | most bytes allocated for one | longest, µs of processor |"
    echo "|---|---|---|---|---|"
    sort "$work/table" 2>/dev/null || true
    echo
    echo "$(awk -F'|' '{ sum += $3 } END { printf "%d", sum }' "$work/table" 2>/dev/null) inputs in all."
    echo
    echo "## Findings"
    echo
    if [ "$status" -eq 0 ]; then
        echo "None: no panic, nothing beyond its bound of bytes and time, every round trip whole."
    else
        grep -aE -A2 'panicked at|input lies in' "$work/log" | sed "s#$PWD/##g; s/^/    /" | head -200
    fi
} > tools/fuzz/REPORT.md
cat tools/fuzz/REPORT.md
exit "$status"
