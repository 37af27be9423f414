# The versions of all tools. .ci/run uses these targets.
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
KUSTOMIZE := go run sigs.k8s.io/kustomize/kustomize/v5@v5.8.2
GOVULNCHECK := go run golang.org/x/vuln/cmd/govulncheck@v1.9.0
SYFT := go run github.com/anchore/syft/cmd/syft@v1.57.1
COMPOSE := go run github.com/compose-spec/compose-go/v2/cmd@v2.16.2
KUBECTL_VALIDATE := go run sigs.k8s.io/kubectl-validate@v0.0.4
VULNDB ?= https://vuln.go.dev
FUZZTIME ?= 30s
FUZZJOBS ?= $(shell nproc)

.PHONY: run generate lint test fuzz proof cover deploy-check monitoring-check dashboard schema-check schema-release leaves screenshot vulncheck dist release drift cost scaling bench

run: ## run the gateway with its demo upstream
	go run . --demo

generate: ## generate code with gqlgen
	go generate ./...

lint: ## run go vet and golangci-lint, and check go.mod
	go vet ./...
	$(GOLANGCI_LINT) run ./...
	go mod tidy -diff

test: ## run all tests with the race detector
	go test -race -shuffle=on ./...

# go test fuzzes one target at a time, so several of them run concurrently. Sometimes go test
# reports the end of the fuzz time as a failure (golang/go#75804, fixed in Go 1.27). Then the target
# runs once more.
fuzz: ## run each fuzz target for FUZZTIME, FUZZJOBS of them concurrently
	@tests=$$(go test -list '^Fuzz' ./...) || { printf '%s\n' "$$tests" >&2; exit 1; }; \
	targets=$$(printf '%s\n' "$$tests" | awk '/^Fuzz/ { name[++n] = $$1 } $$1 == "ok" { for (i = 1; i <= n; i++) print $$2, name[i]; n = 0 }'); \
	[ -n "$$targets" ] || { echo "there are no fuzz targets" >&2; exit 1; }; \
	printf '%s\n' "$$targets" | xargs -P $(FUZZJOBS) -L 1 sh -c ' \
		fuzz() { out=$$(go test "$$0" -run "^$$" -fuzz "^$$1\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x -parallel 1 2>&1); }; \
		ended() { printf "%s\n" "$$out" | grep -q "^ *context deadline exceeded$$" && ! printf "%s" "$$out" | grep -q "Failing input\|panic:"; }; \
		fuzz "$$1" || { ended && fuzz "$$1"; } || \
			{ printf "fuzz %s %s failed\n%s\n" "$$0" "$$1" "$$out"; exit 1; }; \
		printf "fuzz %s %s: %s\n" "$$0" "$$1" "$$(printf "%s" "$$out" | sed -n "s/.*, \(execs: [0-9]*\) .*/\1/p" | tail -1)"'

# The end-to-end tests build the program with coverage counters. It writes to the same directory as
# the tests.
cover: ## measure test coverage; prints the functions with the lowest coverage, and the total
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	go test -count=1 -cover -coverpkg=./... ./... -args -test.gocoverdir="$$dir" && \
	go tool covdata textfmt -i="$$dir" -o=cover.out
	go tool cover -func=cover.out | sort -k3 -n | head -40
	go tool cover -func=cover.out | tail -1

# The example needs a shared key, which the check creates. Without a key, the example must not
# build.
deploy-check: ## validate and check the Kubernetes manifests, the compose file and the systemd unit in deploy/
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	mkdir "$$dir/deploy"; cp -R deploy/base deploy/components deploy/overlays "$$dir/deploy"; \
	rm -f "$$dir/deploy/overlays/example/shared-key.env"; \
	$(KUSTOMIZE) build "$$dir/deploy/base" >"$$dir/base.yaml"; \
	if $(KUSTOMIZE) build "$$dir/deploy/overlays/example" >/dev/null 2>"$$dir/errors" || ! grep -q shared-key.env "$$dir/errors"; then \
		cat "$$dir/errors"; echo "the example must not build without a shared key" >&2; exit 1; \
	fi; \
	printf 'shared-key=%s\n' "$$(head -c 32 /dev/urandom | base64)" >"$$dir/deploy/overlays/example/shared-key.env"; \
	$(KUSTOMIZE) build "$$dir/deploy/overlays/example" >"$$dir/example.yaml"; \
	$(KUBECTL_VALIDATE) --version 1.30 "$$dir/base.yaml" "$$dir/example.yaml"; \
	$(COMPOSE) deploy/compose/compose.yaml >/dev/null; \
	CVMGRAPH_TEST_DEPLOY="$$dir" go test -count=1 ./deploy

# This needs Prometheus 2.42 or later, for example Debian's.
monitoring-check: ## check the alerts and the queries of the dashboard with Prometheus and gateways under load
	promtool check config deploy/monitoring/prometheus.yaml
	promtool check config --syntax-only deploy/compose/prometheus.yaml
	promtool test rules deploy/monitoring/alerts_test.yaml
	CVMGRAPH_TEST_MONITORING=1 .ci/test '^TestMonitoring$$' -count=1 -v ./internal/e2e

dashboard: ## generate deploy/monitoring/dashboard.json
	go run ./internal/tools/dashboard

# If the database is not available, the target fails, unless VULNDB_OPTIONAL is set.
vulncheck: ## look for known vulnerabilities in called code
	@if curl -fsS --max-time 30 -o /dev/null "$(VULNDB)/index/modules.json"; then \
		$(GOVULNCHECK) -db "$(VULNDB)" ./...; \
	else \
		echo "vulnerabilities: NOT CHECKED, the database $(VULNDB) cannot be reached"; [ -n "$(VULNDB_OPTIONAL)" ]; \
	fi

dist: ## make the archives of a release in dist/ reproducibly, with bills of materials and checksums
	SYFT="$(SYFT)" .ci/release
	CVMGRAPH_TEST_RELEASE=dist .ci/test '^TestRelease$$' -count=1 ./internal/e2e

release: vulncheck dist

proof: ## run the tests that are too long for .ci/run: every fault of one tenant beside a healthy one
	CVMGRAPH_TEST_FULL=1 .ci/test '^TestNeighbors$$' -count=1 -timeout=3h ./restclient

schema-check: clients/node_modules ## lint the schema and reject breaking changes since the release
	clients/node_modules/.bin/eslint --max-warnings 0 --config clients/schema/eslint.config.js schema.graphqls
	clients/node_modules/.bin/graphql-inspector diff docs/schema/released.graphqls schema.graphqls

schema-release: ## make the current schema the one that schema-check compares with
	cp schema.graphqls docs/schema/released.graphqls

leaves: ## update docs/versions.md: the fields of a CVM in each API version
	go run ./internal/tools/leaves

clients/node_modules: clients/package-lock.json
	cd clients && npm ci
	touch $@

web/node_modules: web/package-lock.json
	cd web && npm ci
	touch $@

screenshot: web/node_modules ## generate docs/page.png with Chromium
	@set -e; dir=$$(mktemp -d); go build -o "$$dir/cvmgraph" .; \
	"$$dir/cvmgraph" --demo --listen 127.0.0.1:8089 --admin-listen "" 2>/dev/null & pid=$$!; \
	trap 'kill $$pid; rm -rf "$$dir"' EXIT; \
	for _ in $$(seq 100); do "$$dir/cvmgraph" health --listen 127.0.0.1:8089 2>/dev/null && break; sleep 0.1; done; \
	GATEWAY_URL=http://127.0.0.1:8089 node web/screenshot.js

drift: ## generate docs/drift.md: lost and repeated items while a list changes
	go run ./internal/tools/drift

cost: ## generate docs/cost.md: the cost of operations by size
	go run ./internal/tools/costtable

scaling: ## update docs/scaling.md: upstream calls of several replicas
	go run ./internal/tools/scaling

# Run nothing else on the machine. BENCH has the flags, such as -only=cvmgraph,naive -workloads=a.
bench: internal/tools/bench/peers/node_modules ## generate docs/benchmarks.md: cvmgraph and other gateways
	sh internal/tools/bench/peers/glibc.sh || echo "without Tailcall"
	go run ./internal/tools/bench $(BENCH)

internal/tools/bench/peers/node_modules: internal/tools/bench/peers/package-lock.json
	cd internal/tools/bench/peers && npm ci
	touch $@
