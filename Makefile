# Pinned here alone: .ci/run uses these targets.
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
KUSTOMIZE := go run sigs.k8s.io/kustomize/kustomize/v5@v5.8.2
GOVULNCHECK := go run golang.org/x/vuln/cmd/govulncheck@v1.9.0
SYFT := go run github.com/anchore/syft/cmd/syft@v1.57.1
KUBECTL_VALIDATE := go run sigs.k8s.io/kubectl-validate@v0.0.4
VULNDB ?= https://vuln.go.dev
FUZZTIME ?= 30s
FUZZJOBS ?= $(shell nproc)

.PHONY: run generate lint test fuzz cover deploy-check monitoring-check dashboard schema-check schema-release screenshot vulncheck dist release drift cost scaling bench

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

# go test fuzzes one target at a time, so that several of them share the machine. Sometimes it takes the end of a target's time for a
# failure (golang/go#75804, mended in Go 1.27): that target is run once more.
fuzz: ## each fuzz target for FUZZTIME on one core, FUZZJOBS at once
	@tests=$$(go test -list '^Fuzz' ./...) || { printf '%s\n' "$$tests" >&2; exit 1; }; \
	targets=$$(printf '%s\n' "$$tests" | awk '/^Fuzz/ { name[++n] = $$1 } $$1 == "ok" { for (i = 1; i <= n; i++) print $$2, name[i]; n = 0 }'); \
	[ -n "$$targets" ] || { echo "there are no fuzz targets" >&2; exit 1; }; \
	printf '%s\n' "$$targets" | xargs -P $(FUZZJOBS) -L 1 sh -c ' \
		fuzz() { out=$$(go test "$$0" -run "^$$" -fuzz "^$$1\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x -parallel 1 2>&1); }; \
		ended() { printf "%s\n" "$$out" | grep -q "^ *context deadline exceeded$$" && ! printf "%s" "$$out" | grep -q "Failing input\|panic:"; }; \
		fuzz "$$1" || { ended && fuzz "$$1"; } || \
			{ printf "fuzz %s %s failed\n%s\n" "$$0" "$$1" "$$out"; exit 1; }; \
		printf "fuzz %s %s: %s\n" "$$0" "$$1" "$$(printf "%s" "$$out" | sed -n "s/.*, \(execs: [0-9]*\) .*/\1/p" | tail -1)"'

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

# Prometheus is Debian's, or any other from 2.42 on.
monitoring-check: ## deploy/monitoring: the alerts, and all that the dashboard asks for, by a Prometheus beside gateways under load
	promtool check config deploy/monitoring/prometheus.yaml
	promtool test rules deploy/monitoring/alerts_test.yaml
	CVMGRAPH_TEST_MONITORING=1 .ci/test '^TestMonitoring$$' -count=1 -v ./internal/e2e

dashboard: ## deploy/monitoring/dashboard.json, as internal/tools/dashboard has it
	go run ./internal/tools/dashboard

# Without the database nothing is known, which is no success, but where VULNDB_OPTIONAL says so.
vulncheck: ## known vulnerabilities in what the program calls
	@if curl -fsS --max-time 30 -o /dev/null "$(VULNDB)/index/modules.json"; then \
		$(GOVULNCHECK) -db "$(VULNDB)" ./...; \
	else \
		echo "vulnerabilities: NOT CHECKED, the database $(VULNDB) cannot be reached"; [ -n "$(VULNDB_OPTIONAL)" ]; \
	fi

dist: ## dist/: the programs of this commit, built twice to the same bytes, what they are made of, and checksums
	SYFT="$(SYFT)" .ci/release
	CVMGRAPH_TEST_RELEASE=dist .ci/test '^TestRelease$$' -count=1 ./internal/e2e

release: vulncheck dist

schema-check: clients/node_modules ## lint the schema, and refuse what breaks operations that the released one allows
	clients/node_modules/.bin/eslint --max-warnings 0 --config clients/schema/eslint.config.js schema.graphqls
	clients/node_modules/.bin/graphql-inspector diff docs/schema/released.graphqls schema.graphqls

schema-release: ## what schema-check compares with is the schema as it is now
	cp schema.graphqls docs/schema/released.graphqls

clients/node_modules: clients/package-lock.json
	cd clients && npm ci
	touch $@

web/node_modules: web/package-lock.json
	cd web && npm ci
	touch $@

screenshot: web/node_modules ## docs/page.png: the page of a demo, by Chromium
	@set -e; dir=$$(mktemp -d); go build -o "$$dir/cvmgraph" .; \
	"$$dir/cvmgraph" --demo --listen 127.0.0.1:8089 --admin-listen "" 2>/dev/null & pid=$$!; \
	trap 'kill $$pid; rm -rf "$$dir"' EXIT; \
	for _ in $$(seq 100); do "$$dir/cvmgraph" health --listen 127.0.0.1:8089 2>/dev/null && break; sleep 0.1; done; \
	GATEWAY_URL=http://127.0.0.1:8089 node web/screenshot.js

drift: ## docs/drift.md: what is lost and repeated while a list changes
	go run ./internal/tools/drift

cost: ## docs/cost.md: how the cost of an operation grows with what it asks for
	go run ./internal/tools/costtable

scaling: ## docs/scaling.md: the arithmetic of several replicas beside a simulation
	go run ./internal/tools/scaling

# Figures are those of the machine: nothing else should run on it. BENCH is for flags, such as -only=cvmgraph,naive -workloads=a.
bench: internal/tools/bench/peers/node_modules ## docs/benchmarks.md: the gateway beside its peers
	sh internal/tools/bench/peers/glibc.sh || echo "without Tailcall"
	go run ./internal/tools/bench $(BENCH)

internal/tools/bench/peers/node_modules: internal/tools/bench/peers/package-lock.json
	cd internal/tools/bench/peers && npm ci
	touch $@
