# make test   everything: makes .venv, then tox runs every env of tox.ini
# make bench  one table: this module beside pip's execnet, raw pipes and other codecs, measured in the same run
# make build  bin/execnet, and bin/textstats, the example of a worker
PYTHON ?= python3
VENV := .venv
# Where a virtual environment keeps its programs depends on the system.
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.PHONY: test needs venv bench build clean

test: needs venv
	$(BIN)/tox run

needs:
	@missing=$$(.ci/needs | tr '\n' ' '); test -z "$$missing" || { \
		echo "The tests need programs that are not here. On Debian: apt-get install $$missing" >&2; exit 1; }

venv: $(VENV)/installed

$(VENV)/installed: requirements-test.txt compat_tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	touch $@

bench: venv
	go run ./bench

build:
	go build -o bin/ ./cmd/execnet ./examples/textstats

clean:
	rm -rf $(VENV) .tox bin
