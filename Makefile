# make run: the city in a minute. make test: everything that proves it. `make help` lists the rest.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
CITYLINE := target/release/cityline
DESK := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -not -name schema.d.ts -print)
TOOLS := $(foreach file,$(wildcard tools/*/tests/*.rs),--test $(basename $(notdir $(file))))

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / — /'

setup: ## install what building, testing and speaking need (Debian 12)
	@tools/setup.sh

# `npm ci` only when a version changed, and the build only when a source did: the server is compiled anew after each.
web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@cd web && npm ci --no-fund --no-audit
	touch node_modules/.package-lock.json

web/dist/index.html: web/node_modules/.package-lock.json openapi.json $(DESK)
	@cd web && npm run build

desk: setup web/dist/index.html ## the pages, into web/dist

build: setup desk ## the server with its tools, optimised
	@cargo build --release --workspace

prompts: build ## speak the prompts in four languages
	@$(CITYLINE) prompts build

run: build ## a demo city: real calls, queues, operators, recordings
	@$(CITYLINE) demo

check: ## formatting and lints
	@cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

# Real sound and real calls run apart from the tests that keep all cores busy: sound that comes late is a fault there. Browsers run
# apart from other calls and one test at a time: a test has up to three, and each takes half a core.
# Each command names the whole workspace: a part alone would have its dependencies built again, with other features.
test: setup desk check ## every test; peers that are not ours take part
	@npm --prefix web run check
	npm --prefix web test
	npm --prefix web run test:bundle
	npm --prefix web run test:screens
	cargo test --workspace --lib --bins --examples -- --skip media::
	cargo test --workspace --lib -- --test-threads 4 media::
	cargo test --workspace --doc
	cargo test --workspace $(TOOLS)
	cargo test --workspace --test it -- --skip calls:: --skip browsers::
	cargo test --workspace --test it -- --test-threads 4 calls::
	cargo test --workspace --test it -- --test-threads 1 browsers::

bench: build ## the load table: set-ups, prompts, music, bridged and recorded
	@tools/bench/run.sh

soak: build ## kill -9 in mid-call, a poor line, a busy hour: two hours in all; see tools/soak/README.md
	@tools/soak/kill.sh
	tools/soak/lines.sh
	tools/soak/hour.sh

fuzz: ## mutated input against every reader, MINUTES (30) in all; see tools/fuzz/README.md
	@tools/fuzz/run.sh

torture: ## RFC 4475 and RFC 5118 messages over UDP and TCP; TORTURE names torture.py
	@cargo test --workspace --test it --no-run # builds the server too, as `make test` did
	tools/torture.sh

contract: ## ask a server all that its OpenAPI document allows and forbids; see tools/CONTRACT.md
	@cargo test --workspace --test it --no-run # builds the server too, as `make test` did
	tools/contract.sh

.PHONY: help setup desk build prompts run check test bench soak fuzz torture contract
