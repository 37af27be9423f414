# Pinned here alone: .ci/run uses these targets.
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 20s

.PHONY: run generate lint test fuzz cover drift cost bench

run: ## the gateway over its demo upstream
	go run . --demo

generate: ## the code that gqlgen writes
	go generate ./...

lint: ## vet, golangci-lint with gofumpt, and go.mod
	go vet ./...
	$(GOLANGCI_LINT) run ./...
	go mod tidy -diff

test:
	go test -race -shuffle=on ./...

# go test fuzzes one target at a time.
fuzz: ## each fuzz target for FUZZTIME
	@set -e; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' "$$package" | grep '^Fuzz' || true); do \
			echo "fuzz $$package $$target"; \
			go test "$$package" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x; \
		done; \
	done

cover: ## coverage of each function, most telling lines last
	go test -coverpkg=./... -coverprofile=cover.out ./...
	go tool cover -func=cover.out | sort -k3 -n | tail -40

drift: ## docs/drift.md: what is lost and repeated while a list changes
	go run ./internal/relay/drift

cost: ## docs/cost.md: how the cost of an operation grows with what it asks for
	go run ./internal/cost/table

# Figures are those of the machine: nothing else should run on it. BENCH is for flags, such as -only=cvmgraph,naive -workloads=a.
bench: internal/bench/peers/node_modules ## docs/benchmarks.md: the gateway beside its peers
	sh internal/bench/peers/glibc.sh || echo "without Tailcall"
	go run ./internal/bench $(BENCH)

internal/bench/peers/node_modules: internal/bench/peers/package-lock.json
	cd internal/bench/peers && npm ci
	touch $@
