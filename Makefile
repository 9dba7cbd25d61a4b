# Versions of the tools that lint needs; they are run from the module cache.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS     := -X github.com/floxrun/flox/internal/version.Version=$(VERSION)
# Most of the time the stores' tests wait for leases and timers to run out.
PARALLEL    := $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
MODULES     := $(wildcard examples/*/go.mod integration/*/go.mod bench/go.mod)

.DEFAULT_GOAL := help
.PHONY: help demo build test race lint vuln sbom verify bench bench-quick bench-go model simulate chaos guarantees chaos-short chaos-bugs fuzz fuzz-short soak dashboards alerts image up down compose-test

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: build ## run two real workflows on three worker processes, one of which is killed
	@bin/orchestrator demo

build: ## build bin/worker and bin/orchestrator
	go build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/worker ./cmd/orchestrator

test: build ## run all tests, race detector on, on real Redis servers of their own
	@scripts/ensure-redis.sh
	@scripts/ensure-promtool.sh
	GORACE=atexit_sleep_ms=50 go test -race -parallel $(PARALLEL) -timeout 9m ./...
	@# The model has no goroutines and many states: it is explored without the race detector.
	go test ./pkg/redisstore/internal/model
	@# So is what has a seed: without it there is time for hundreds of them.
	go test ./internal/simulation -run 'TestVirtualTime|TestSteps$$' -flox.virtual=200 -flox.steps=2000
	@# -count=1: what they read outside of their module does not undo a cached result.
	@for m in $(MODULES); do (cd $$(dirname $$m) && go vet ./... && go test -count=1 ./...) || exit 1; done

race: test ## the same as test: the race detector is always on

lint: ## formatter, vet, staticcheck
	@files=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$files" ] || { echo "not gofmt-ed: $$files"; exit 1; }
	go vet ./...
	go vet -tags compose ./integration/compose
	go run $(STATICCHECK) ./...
	go run $(STATICCHECK) -tags compose ./integration/compose

vuln: ## known vulnerabilities, where their database can be reached
	@scripts/vuln.sh $(GOVULNCHECK)

sbom: build ## write bin/sbom.json: what the binaries are made of, as CycloneDX
	cd integration/sbom && go run . -o ../../bin/sbom.json ../../bin/worker ../../bin/orchestrator

verify: lint test ## what a commit must pass

fuzz: ## fuzz every target for FUZZTIME (60s); FUZZ is a pattern of their names
	scripts/fuzz.sh

fuzz-short: ## fuzz every target for a second, from the inputs that are kept alone
	@scripts/ensure-redis.sh
	@dir=$$(mktemp -d); FUZZTIME=1s FUZZCORPUS=$$dir scripts/fuzz.sh; code=$$?; rm -rf $$dir; exit $$code

soak: ## 20 minutes (SOAK) of mixed load, restarts and faults; draws docs/img/soak.svg
	@scripts/ensure-redis.sh
	SOAK=$(or $(SOAK),20m) SOAK_PICTURE=$(CURDIR)/docs/img/soak.svg go run ./integration/chaos --scenario '^soak$$' --seeds 1

# What chaos runs: make chaos CHAOS='--scenario kill --seed 7'.
CHAOS ?= --seeds 3 --jobs 2
BUGS  := no-fence no-reclaim drop-consumers no-crash-count lost-handback

chaos: ## break everything that can break, again and again, and judge what flox made of it; CHAOS='--list' shows what
	@scripts/ensure-redis.sh
	go run ./integration/chaos $(CHAOS)

guarantees: ## all of chaos with three seeds on Redis 7, Redis 8 and Valkey; writes docs/guarantees.md
	@scripts/ensure-redis.sh
	@scripts/ensure-servers.sh
	go run ./integration/chaos --server redis,redis8,valkey --seeds 3 --jobs 2 --page docs/guarantees.md

chaos-short: ## the same in a minute and a half
	@scripts/ensure-redis.sh
	go run ./integration/chaos --short --jobs 2

chaos-bugs: ## put each known bug into the workers: chaos must find it
	@scripts/ensure-redis.sh
	go test -tags floxbug -run '^TestBugs$$' ./pkg/redisstore
	@for bug in $(BUGS); do echo "== $$bug"; go run ./integration/chaos --bug $$bug --jobs 2 || exit 1; done

SEEDS ?= 10000

simulate: ## simulate SEEDS=10000 systems step by step, a tenth of them in virtual time too, and compare the stores
	@scripts/ensure-redis.sh
	go test ./internal/simulation -count=1 -timeout 60m -v -flox.steps=$(SEEDS) -flox.virtual=$$(( $(SEEDS) / 10 )) \
		-flox.linear=$$(( $(SEEDS) / 10 )) -rapid.checks=$$(( $(SEEDS) / 10 ))

model: ## explore the protocol's model with larger bounds and many more walks; some minutes
	FLOX_MODEL=deep go test -v -run 'TestProtocol|TestWalks' -timeout 2h ./pkg/redisstore/internal/model

# What is measured: make bench BENCH='--workload W1 --repeat 5'.
bench: ## measure flox beside its peers; writes docs/bench.json, docs/img/bench.svg and the numbers of docs/performance.md; BENCH='--help' shows what
	@scripts/ensure-redis.sh
	cd bench && go run . $(or $(BENCH),--json ../docs/bench.json --svg ../docs/img/bench.svg --page ../docs/performance.md)

bench-quick: ## a first look at the same in two minutes
	@scripts/ensure-redis.sh
	cd bench && go run . --quick $(BENCH)

bench-go: ## benchmarks of the hot paths, on a real Redis server
	@scripts/ensure-redis.sh
	go test -run '^$$' -bench . -benchmem ./pkg/...

dashboards: ## write deploy/grafana/dashboards from internal/dashboards
	go test ./internal/dashboards -run TestFiles -update

alerts: ## judge deploy/prometheus with promtool, cases of the alerts included
	@scripts/ensure-promtool.sh
	go test ./internal/dashboards -run 'TestPromtool|TestAlerts'

# What the image is built with: from the commit, so that one source makes one image.
image up: export FLOX_BUILD_VERSION = $(VERSION)
image up: export FLOX_BUILD_REVISION = $(shell git rev-parse HEAD 2>/dev/null)
image up: export FLOX_BUILD_CREATED = $(shell git log -1 --format=%cI 2>/dev/null)
DOCKER  ?= docker
COMPOSE := $(DOCKER) compose -f deploy/docker-compose.yml
WORKERS ?= 4

image: ## build the image flox with Docker and print its size
	DOCKER_BUILDKIT=1 $(DOCKER) build -t flox --build-arg VERSION=$$FLOX_BUILD_VERSION \
		--build-arg REVISION=$$FLOX_BUILD_REVISION --build-arg CREATED=$$FLOX_BUILD_CREATED .
	@$(DOCKER) image ls flox

up: ## start Redis, WORKERS=4 workers, Prometheus and Grafana in Docker
	$(COMPOSE) up -d --build --scale worker=$(WORKERS)

down: ## stop that; what Redis has is kept
	$(COMPOSE) down

compose-test: ## test the Docker stack, on an engine of its own where there is none
	@integration/compose/run.sh
