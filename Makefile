# make check  what a commit needs: formatting, comments, go vet, staticcheck, govulncheck, and the quick tests
#             with one Python and one execnet; two minutes
# make test   everything: makes .venv, then tox runs every env of tox.ini
# make bench  one table: this module beside pip's execnet, raw pipes and other codecs, measured in the same run;
#             it is written into docs/benchmarks.md, with charts
# make build  bin/execnet, and bin/textstats, the example of a worker
PYTHON ?= python3
VENV := .venv
# Where a virtual environment keeps its programs depends on the system.
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.PHONY: check test needs venv bench build clean

# Programs that take long to test: their tests run in make test alone.
SLOW := /compat_tests|/cmd/execnet$$|/gateway_io$$|/internal/sshclient$$|/multi$$|/server$$|/rsync$$

check: needs venv
	$(BIN)/python .ci/static.py
	EXECNET_TEST_PYTHONS=$(PYTHON) EXECNET_TEST_VENV=$(CURDIR)/$(VENV) \
		go test -vet=off -timeout 3m $$(go list ./... | grep -vE '$(SLOW)')
	cd bench && EXECNET_TEST_VENV=$(CURDIR)/$(VENV) go test -vet=off -timeout 3m ./...
	$(BIN)/python -m pytest -q compat_tests/test_goworker_values.py

# Three envs at a time: most of the tests wait for processes rather than compute.
test: needs venv
	$(BIN)/tox run-parallel --parallel 3 --parallel-live --parallel-no-spinner

needs:
	@missing=$$(.ci/needs | tr '\n' ' '); test -z "$$missing" || { \
		echo "The tests need programs that are not here. On Debian: apt-get install $$missing" >&2; exit 1; }

venv: $(VENV)/installed

$(VENV)/installed: requirements-test.txt compat_tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	touch $@

bench: venv
	cd bench && go run . -write ../docs

build:
	go build -o bin/ ./cmd/execnet ./examples/textstats

clean:
	rm -rf $(VENV) .tox bin
