# Hydrant's workshop. `make` alone explains itself; `make check` is exactly what CI runs.

GO ?= go

# staticcheck is a tool, not a dependency: it lives in .tools and never in go.mod. The
# version is part of the path, so that a new one is installed and an old one never used.
STATICCHECK_VERSION := v0.8.2
STATICCHECK := .tools/staticcheck-$(STATICCHECK_VERSION)/staticcheck

# The AWS CLI and boto3 drive the node in e2e. Where they are missing they are installed
# beside the tools; where that fails, the tests that want them say that they were skipped.
CLIENTS := .tools/clients
export PATH := $(CURDIR)/$(CLIENTS)/bin:$(PATH)

# Settings of the longer targets.
SEED       ?=
SIM_RUNS   ?= 2000
FUZZTIME   ?= 30s
KILLS      ?= 50
BENCHFLAGS ?=

# The packages share the cores with the race detector, which is hungry: two at a time.
TESTFLAGS := -race -p 2 -timeout 20m

FOLDERS := $(wildcard cmd internal e2e)

.DEFAULT_GOAL := help
.PHONY: help build check fmt vet staticcheck clients test check-long sim-long fuzz kill bench bench-rows sim demo clean

help: ## print these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/hydrant
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/hydrant ./cmd/hydrant

check: fmt vet staticcheck test ## everything CI runs: formatting, vet, staticcheck, race tests with the short simulation

fmt: ## fail when a file is not formatted by gofmt
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l $(FOLDERS)); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

vet: ## run go vet
	$(GO) vet ./...

staticcheck: $(STATICCHECK) ## run staticcheck, installed into .tools when absent
	$(STATICCHECK) ./...

$(STATICCHECK):
	GOBIN=$(CURDIR)/$(@D) $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)

clients: ## install boto3 and the AWS CLI into .tools unless they are there
	@.ci/clients $(CLIENTS)

# Packages of e2e would each build the binary for themselves.
test: clients build ## run all tests under the race detector
	HYDRANT_BINARY=$(CURDIR)/bin/hydrant CGO_ENABLED=1 $(GO) test $(TESTFLAGS) ./...

check-long: check sim-long fuzz kill ## check, then long simulation, fuzzing and a kill -9 soak

sim-long: ## run SIM_RUNS simulations
	HYDRANT_SIM_RUNS=$(SIM_RUNS) CGO_ENABLED=1 $(GO) test -race -timeout 0 -count 1 -run TestSimulation ./e2e/simulation

sim: ## run one simulation again: make sim SEED=n
	@test -n "$(SEED)" || { echo "which one? make sim SEED=n, with the seed that a failed run printed"; exit 2; }
	HYDRANT_SIM_SEED=$(SEED) $(GO) test -count 1 -v -run TestSimulation ./e2e/simulation

fuzz: ## run every fuzz target for FUZZTIME
	.ci/fuzz $(FUZZTIME)

kill: ## kill the real binary KILLS times under load and count every record
	HYDRANT_KILLS=$(KILLS) $(GO) test -timeout 0 -count 1 -v -run Kill ./e2e/...

bench: ## measure the whole path beside the floor program (BENCHFLAGS=-quick for a short run)
	$(GO) run ./e2e/bench $(BENCHFLAGS)

bench-rows: ## measure JSON to Parquet and ORC on one core, beside the library that came second
	cd e2e/rows && $(GO) test -bench . -cpu 1

demo: build ## a node, a stream, real events in, objects out
	bin/hydrant demo

clean: ## remove what was built; tools stay
	rm -rf bin
