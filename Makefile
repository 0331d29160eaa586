# `make try` and `make test` do all set-up themselves. CARGO_TARGET_DIR is honoured.
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
PREFIX ?= $(HOME)/.local
DESKHAND := $(TARGET)/debug/deskhand
NEXTEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo yes)
export CARGO_TARGET_DIR := $(TARGET)

.PHONY: try try-vm test test-vm fuzz check bench install setup setup-vm build prepare lint

try: prepare ## the main job on a folder of real files
	tests/try $(DESKHAND) $(TARGET)/debug

try-vm: setup-vm build ## a guest: a chart of a real table, and a removal of everything that is undone
	tests/try-vm $(DESKHAND) $(TARGET)/debug

test: check prepare ## everything that must hold
ifeq ($(NEXTEST),yes)
	cargo nextest run --workspace --no-fail-fast
else
	cargo test --workspace --no-fail-fast --tests
endif
	cargo test --workspace --doc

test-vm: setup-vm prepare ## real guests: what they do, and what becomes of them when something breaks
	cargo test -p deskhand-vm-bridge --features guests --test guests -- --test-threads 1
	cargo test -p deskhand-tests --features guests --test agent guest:: -- --test-threads 1

fuzz: ## both ends of a guest's channel against libFuzzer, each target for FUZZ_SECONDS (30); needs a nightly toolchain
	vm-bridge/fuzz/run

check: setup ## format, lints, licences, layout
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo deny --log-level error check bans licenses sources

build:
	cargo build -p deskhand

prepare: setup build
	tests/prepare $(DESKHAND) $(TARGET)/debug

bench: setup ## the figures, each beside a reference in the same run
	cargo build --release -p deskhand -p deskhand-bench
	tests/prepare $(TARGET)/release/deskhand $(TARGET)/release
	$(TARGET)/release/deskhand-bench

install: ## deskhand, its manual and its completions under PREFIX
	cargo build --release -p deskhand
	install -D $(TARGET)/release/deskhand $(DESTDIR)$(PREFIX)/bin/deskhand
	mkdir -p $(DESTDIR)$(PREFIX)/share/man/man1
	$(TARGET)/release/deskhand man $(DESTDIR)$(PREFIX)/share/man/man1
	mkdir -p $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(TARGET)/release/deskhand completions bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/deskhand
	$(TARGET)/release/deskhand completions zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_deskhand
	$(TARGET)/release/deskhand completions fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/deskhand.fish

setup: ## what the tests need of the system
	tests/setup

setup-vm: setup ## what guests need beside that
	tests/setup vm
