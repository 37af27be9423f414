# Pinned here alone: .ci/run uses these targets.
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
KUSTOMIZE := go run sigs.k8s.io/kustomize/kustomize/v5@v5.8.2
KUBECTL_VALIDATE := go run sigs.k8s.io/kubectl-validate@v0.0.4
FUZZTIME ?= 20s

.PHONY: run generate lint test fuzz cover deploy-check schema-check schema-release drift cost scaling bench

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

# The example takes a shared key, which the check makes for itself; without one it must not build.
deploy-check: ## deploy/: build the manifests, compare them with the API's schemas, and check what they say
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	mkdir "$$dir/deploy"; cp -R deploy/base deploy/components deploy/overlays "$$dir/deploy"; \
	rm -f "$$dir/deploy/overlays/example/shared-key.env"; \
	$(KUSTOMIZE) build "$$dir/deploy/base" >"$$dir/base.yaml"; \
	if $(KUSTOMIZE) build "$$dir/deploy/overlays/example" >/dev/null 2>"$$dir/refusal" || ! grep -q shared-key.env "$$dir/refusal"; then \
		cat "$$dir/refusal"; echo "the example must not build for want of a shared key" >&2; exit 1; \
	fi; \
	printf 'shared-key=%s\n' "$$(head -c 32 /dev/urandom | base64)" >"$$dir/deploy/overlays/example/shared-key.env"; \
	$(KUSTOMIZE) build "$$dir/deploy/overlays/example" >"$$dir/example.yaml"; \
	$(KUBECTL_VALIDATE) --version 1.30 "$$dir/base.yaml" "$$dir/example.yaml"; \
	CVMGRAPH_TEST_DEPLOY="$$dir" go test -count=1 ./deploy

schema-check: clients/node_modules ## lint the schema, and refuse what breaks operations that the released one allows
	clients/node_modules/.bin/eslint --max-warnings 0 --config clients/schema/eslint.config.js schema.graphqls
	clients/node_modules/.bin/graphql-inspector diff docs/schema/released.graphqls schema.graphqls

schema-release: ## what schema-check compares with is the schema as it is now
	cp schema.graphqls docs/schema/released.graphqls

clients/node_modules: clients/package-lock.json
	cd clients && npm ci
	touch $@

drift: ## docs/drift.md: what is lost and repeated while a list changes
	go run ./internal/relay/drift

cost: ## docs/cost.md: how the cost of an operation grows with what it asks for
	go run ./internal/cost/table

scaling: ## docs/scaling.md: the arithmetic of several replicas beside a simulation
	go run ./internal/scaling

# Figures are those of the machine: nothing else should run on it. BENCH is for flags, such as -only=cvmgraph,naive -workloads=a.
bench: internal/bench/peers/node_modules ## docs/benchmarks.md: the gateway beside its peers
	sh internal/bench/peers/glibc.sh || echo "without Tailcall"
	go run ./internal/bench $(BENCH)

internal/bench/peers/node_modules: internal/bench/peers/package-lock.json
	cd internal/bench/peers && npm ci
	touch $@
