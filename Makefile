# make check  what a commit needs: formatting, comments, go vet, staticcheck, govulncheck, and the quick tests
#             with one Python and one execnet; two minutes
# make test   everything: makes .venv, then tox runs every env of tox.ini
# make test-platforms  gateways to containers of a real podman, whose images are made from files of this machine,
#             and on the nodes of a real Slurm, which runs here; .ci/needs-platforms says what it needs, and the
#             user must be root. Also what make test-kubectl does: gateways to pods of an API server of the tests, by
#             a real kubectl, which is built first; needs nothing but Go and a Python
# make python314  unpacks the embedded CPython 3.14 into .venv; from then on tests use it as one more interpreter
# make soak   breaks gateways in every way, on every road, for five minutes (MINUTES=60: for longer), and
#             prints how often something did not hold; SOAK="-seed 1 -only cut -road ssh" tells it more
# make suites  runs the test suites of other projects with pytest, pytest-xdist and execnet pytest, compares every
#             test's outcome, and writes the table in docs/testing.md; it downloads them first
# make programs  random programs in the Go interpreter and in CPython 3.11, for MINUTES
# make bench  one table: this module beside pip's execnet, raw pipes and other codecs, measured in the same run;
#             it is written into docs/benchmarks.md, with charts
# make release  dist/: archives, wheels, Debian packages and their checksums, for all platforms; the version
#             is that of the commit's tag
# make wheel  dist/: the wheels alone; PLATFORMS=linux/amd64 makes one of them, also for make release
# make build  bin/execnet, bin/execnet-full with a CPython inside, and bin/textstats, the example of a worker
PYTHON ?= python3
VENV := .venv
MINUTES ?= 5
PLATFORMS ?= all
# Where a virtual environment keeps its programs depends on the system.
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.PHONY: check test test-platforms test-kubectl needs venv python314 soak suites programs bench build release wheel clean

# Programs that take long to test: their tests run in make test alone.
SLOW := /compat_tests|/internal/command$$|/internal/release$$|/gateway_io$$|/internal/sshclient$$|/multi$$|/server$$|/rsync$$

check: needs venv
	$(BIN)/python .ci/static.py
	EXECNET_TEST_PYTHONS=$(PYTHON) EXECNET_TEST_VENV=$(CURDIR)/$(VENV) \
		go test -vet=off -timeout 3m $$(go list ./... | grep -vE '$(SLOW)')
	cd bench && EXECNET_TEST_VENV=$(CURDIR)/$(VENV) go test -vet=off -timeout 3m ./...
	go -C embedded test -vet=off -timeout 3m ./...
	VIRTUAL_ENV=$(CURDIR)/$(VENV) go run ./cmd/execnet pytest -q -n 2 compat_tests/test_goworker_values.py

# One env after the other: each of them keeps two processors busy, and tests bound what they wait for.
test: needs venv
	$(BIN)/tox run

# Without cgo, so that the programs run in containers without libraries.
test-platforms: test-kubectl
	@missing=$$(.ci/needs-platforms | tr '\n' ' '); test -z "$$missing" || { \
		echo "These tests need programs that are not here. On Debian: apt-get install $$missing" >&2; exit 1; }
	CGO_ENABLED=0 go test -count=1 -timeout 20m -tags platforms -run 'TestPodman|TestSlurm' ./internal/deploy ./internal/dialback

# Its first run builds kubectl, which takes minutes; later ones find that in the cache of go build.
test-kubectl:
	CGO_ENABLED=0 go -C internal/testsupport/kubernetes test -count=1 -timeout 20m .

needs:
	@missing=$$(.ci/needs | tr '\n' ' '); test -z "$$missing" || { \
		echo "The tests need programs that are not here. On Debian: apt-get install $$missing" >&2; exit 1; }

venv: $(VENV)/installed

$(VENV)/installed: requirements-test.txt compat_tests/requirements.txt .ci/pytests.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	$(BIN)/python .ci/pytests.py $(VENV)/pytest
	touch $@

# Not part of venv: one more interpreter takes the tests some minutes.
python314: venv
	go -C embedded run ./internal/unpack $(CURDIR)/$(VENV)/pythons
	$(BIN)/python .ci/pytests.py $(VENV)/pytest

soak: needs venv
	EXECNET_TEST_VENV=$(CURDIR)/$(VENV) go run ./internal/testsupport/soak -minutes $(MINUTES) $(SOAK)

suites: venv
	$(BIN)/python .ci/suites.py --write docs/testing.md

programs:
	EXECNET_TEST_PROGRAMS=$(MINUTES)m go test -count=1 -timeout 0 -run TestProgramsAreCPythons -v ./gpython

bench: venv
	cd bench && go run . -write ../docs

build:
	go build -o bin/ ./cmd/execnet ./examples/textstats
	CGO_ENABLED=0 go -C embedded build -o ../bin/ ./cmd/execnet-full

release:
	rm -rf dist
	go run ./internal/release -platforms $(PLATFORMS)

wheel:
	rm -rf dist
	go run ./internal/release -platforms $(PLATFORMS) wheel

clean:
	rm -rf $(VENV) .tox bin dist
