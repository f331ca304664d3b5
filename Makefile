# manofwar: run `make help` for the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BOARD ?= raspberrypi
PORT ?= 8080
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
CACHE := $(or $(MANOFWAR_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/manofwar)
UI := services/portal/ui
GOFLAGS_BUILD := -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$(VERSION)"
export CGO_ENABLED := 0
export VERSION
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z-]*:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  BOARD=$(BOARD)  which image: raspberrypi, qemu or qemu-amd64      PORT=$(PORT)  where make run serves the page"

.PHONY: tools
tools:
	@.ci/tools

.PHONY: deps
deps: packages $(UI)/node_modules/.package-lock.json ## install the Debian packages and npm modules that are missing

# Each use of .ci/packages: to make an image, to run one, or all of them.
.PHONY: packages packages-image packages-run
packages:
	@.ci/install
packages-image:
	@.ci/install image
packages-run:
	@.ci/install image run

$(UI)/node_modules/.package-lock.json: $(UI)/package.json $(UI)/package-lock.json $(UI)/.npmrc | tools
	npm --prefix $(UI) ci --prefer-offline --no-audit --no-fund --loglevel=error
	@touch $@

UI_SOURCES := $(shell find $(UI)/src $(UI)/public $(UI)/index.html $(UI)/*.ts $(UI)/*.js $(UI)/*.json -type f 2>/dev/null)
$(UI)/dist/index.html: $(UI_SOURCES) | $(UI)/node_modules/.package-lock.json
	npm --prefix $(UI) run --silent build
	@touch $@

.PHONY: ui
ui: $(UI)/dist/index.html ## build the web pages

.PHONY: build
build: tools ui ## build build/manofwar for this computer
	@mkdir -p build
	go build $(GOFLAGS_BUILD) -o build/manofwar ./cmd/manofwar

.PHONY: engines engines-arm64 engines-amd64
engines: engines-arm64 engines-amd64 ## build the static ffmpeg and e2fsprogs, once, into the cache
engines-arm64 engines-amd64: engines-%: packages-image
	@rootfs/build/all.sh $* >/dev/null

.PHONY: image
image: engines-arm64 build ## write build/manofwar-BOARD.img and .img.zst
	build/manofwar image --board $(BOARD)

.PHONY: flash
flash: ## write the image to DEV, after asking: make flash DEV=/dev/sdX
	@test -n "$(DEV)" || { echo "Say which card: make flash DEV=/dev/sdX (lsblk lists them)" >&2; exit 2; }
	@test -e build/manofwar-$(BOARD).img || $(MAKE) image
	@test -e build/manofwar || $(MAKE) build
	build/manofwar flash --image build/manofwar-$(BOARD).img $(FLASHFLAGS) "$(DEV)"

.PHONY: run
run: packages-run engines-amd64 build ## boot the real image in QEMU with a demo library, a television, and print its address
	@go run ./cmd/lab run --port $(PORT)

.PHONY: sources
sources: packages-image ## collect the sources of the image's GPL programs into build/
	@rootfs/build/sources.sh build

.PHONY: static
static: deps ui ## formatting, vet, staticcheck, import rules, builds for every system
	@unformatted=$$(go tool gofumpt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
		test -z "$$unformatted" || { echo "gofumpt: these files want formatting: make fmt" $$unformatted >&2; exit 1; }
	go mod tidy -diff
	GOARCH=amd64 go vet ./...
	GOARCH=arm64 go vet ./...
	go vet -tags vm ./internal/lab/...
	go vet -tags hwsim ./netmgr/... ./player/...
	@mkdir -p build
	go build -o build/staticcheck honnef.co/go/tools/cmd/staticcheck
	build/staticcheck ./...
	GOARCH=arm64 build/staticcheck ./...
	$(MAKE) cross
	go test -count=1 ./internal/archtest

.PHONY: check
check: static ## what to run before a commit: static and the quick tests, race detector on
	CGO_ENABLED=1 go test -race -short ./...

.PHONY: fmt
fmt: ## format the Go code
	go tool gofumpt -w $$(git ls-files --cached --others --exclude-standard '*.go')

.PHONY: cross
cross: ui ## check that the program builds for every system it runs on
	@for target in linux/amd64 linux/arm64 darwin/arm64 darwin/amd64 windows/amd64; do \
		GOOS=$${target%/*} GOARCH=$${target#*/} go build -o /dev/null ./cmd/manofwar && echo "builds for $$target"; done

.PHONY: test
test: static engines build ## every test there is
	CGO_ENABLED=1 go test -race -timeout 30m ./...
	$(MAKE) ui-test
	$(MAKE) vm-test

.PHONY: ui-test
ui-test: deps build ## the web pages in Chromium: on fixtures, and on the real server
	npm --prefix $(UI) run --silent check
	npm --prefix $(UI) test

.PHONY: vm-test
vm-test: deps engines build ## the real image in QEMU, alone and among real routers and phones
	go test -tags vm -count=1 -timeout 60m ./internal/lab/...

.PHONY: soak
COMMANDS ?= 50000
soak: deps engines build ## the long ones: an evening at the television with COMMANDS random commands, and many at nobody's
	go test -count=20 -timeout 60m -run '^TestManyCommands$$' ./player
	go test -tags vm -count=1 -timeout 180m -v -run '^TestTelevision$$' ./internal/lab/vm -commands=$(COMMANDS)

.PHONY: fuzz
FUZZTIME ?= 20s
fuzz: ## run every fuzz target for FUZZTIME
	@for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for target in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$pkg/*_test.go | sed 's/^func //'); do \
			echo "$$pkg $$target"; go test -run=NONE -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) $$pkg; done; done

.PHONY: bench
bench: deps engines build ## print every performance figure as: name value unit
	@go run ./cmd/lab bench

.PHONY: clean
clean: ## remove what was built here; what lies in the cache outside the tree stays
	rm -rf build $(UI)/node_modules
	find $(UI)/dist -mindepth 1 ! -name .gitkeep -delete
	@echo "The cache stays: $(CACHE)"
