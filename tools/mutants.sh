#!/usr/bin/env bash
# Would a test notice if the core decided otherwise? Mutates routing, queue, agent, offer, call and leg, and runs the core's own tests.
# The core is copied into a crate of its own and mutated there, so that a mutant costs seconds; `cargo install cargo-mutants` comes first.
# tools/mutants.md keeps the last figures.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo-mutants >/dev/null || { echo "mutants: cargo-mutants is missing: cargo install cargo-mutants" >&2; exit 1; }
work=${MUTANTS:-var/mutants}
rm -rf "$work/src" "$work/tests"
mkdir -p "$work/src" "$work/tests/it"
cp -r src/private.rs src/centre src/journal.rs src/journal "$work/src/"
# Mutated input is for the whole crate.
rm "$work/src/journal/fuzz.rs"
sed -i '/^#\[cfg(test)\]$/{N;/mod fuzz;/d}' "$work/src/journal.rs"
printf 'pub mod private;\npub mod centre;\npub mod journal;\n' > "$work/src/lib.rs"
cp -r tests/it/scenarios tests/it/city.rs tests/it/days.rs "$work/tests/it/"
[ ! -d tests/it/days ] || cp -r tests/it/days "$work/tests/it/"
printf '#![allow(dead_code)]\nmod city;\nmod days;\nmod scenarios;\n' > "$work/tests/it/main.rs"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "cityline"
version = "0.0.0"
edition = "2024"
[workspace]
[dependencies]
crc32fast = "1.5"
metrics = "0.24"
serde = { version = "1", features = ["derive", "rc"] }
serde_json = "1"
thiserror = "2"
toml = { version = "1.2", features = ["parse"] }
tracing = "0.1"
[dev-dependencies]
insta = "1.49"
proptest = "1.12"
[profile.dev]
debug = false
opt-level = 1
TOML
cd "$work"
export CITYLINE_DAYS=${CITYLINE_DAYS:-300}
files=()
for file in routing queue agent offer call leg; do files+=(--file "src/centre/$file.rs"); done
cargo mutants --in-place --timeout 90 "${files[@]}" "$@"
