# make check  what a commit needs: formatting, comments, go vet, staticcheck, govulncheck, and the quick tests
#             with one Python and one execnet; two minutes
# make test   everything: makes .venv, unpacks CPython 3.14 there, then tox runs every env of tox.ini. CI runs
#             .ci/run: this, and then make test-platforms
# make test-platforms  all of these, two at a time; .ci/needs-platforms says what they need
#   make test-podman  gateways to containers of a real podman, whose images are made from files of this machine,
#             and the image of a release; the user must be root
#   make test-slurm   gateways on the nodes of a real Slurm, which runs here; the user must be root
#   make test-mpirun  gateways to workers that a real mpirun starts
#   make test-kubectl gateways to pods of an API server of the tests, by a real kubectl, which is built first
#   make test-qemu    programs for arm64 and for s390x, whose byte order is the other one, and a Python of this machine;
#             and the archive and the wheel of a release for arm64
#   make test-pypy    workers in PyPy 3, driven by Go and by pip's execnet
#   make test-wine    programs for Windows, run by wine: Go's tests, and execnet.exe with a CPython for Windows
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
# The parts of test-platforms, those that take longest first.
PLATFORM_TESTS := test-qemu test-slurm test-wine test-pypy test-podman test-kubectl test-mpirun
# Where a virtual environment keeps its programs depends on the system.
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.PHONY: check test test-platforms $(PLATFORM_TESTS) needs venv python314 soak suites programs bench build release wheel clean

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
test: needs python314
	$(BIN)/tox run

# What any of them needs is asked for before the first one runs. Two run at a time, as they wait more than they
# compute; what one prints comes when it has ended.
test-platforms: needs-platforms
	$(MAKE) --no-print-directory -j2 --output-sync=target $(PLATFORM_TESTS)

# needs-podman is what `make test-podman` needs, and so on; needs-platforms is all of it.
needs-%:
	@missing=$$(.ci/needs-platforms $* | tr '\n' ' '); test -z "$$missing" || { \
		echo "These tests need programs that are not here. On Debian: apt-get install $$missing" >&2; exit 1; }

# Tests that have failed run once more, as those of make test do.
GO_TEST := $(PYTHON) $(CURDIR)/.ci/go_test.py these

# Without cgo, so that programs run in containers without libraries, and nothing is built twice.
test-podman: needs-podman
	CGO_ENABLED=0 $(GO_TEST) -count=1 -timeout 20m -tags platforms -run TestPodman ./internal/deploy ./internal/release

test-slurm: needs-slurm
	CGO_ENABLED=0 $(GO_TEST) -count=1 -timeout 20m -tags platforms -run TestSlurm ./internal/dialback

test-mpirun: needs-mpirun
	CGO_ENABLED=0 $(GO_TEST) -count=1 -timeout 10m -tags platforms -run TestMpirun ./internal/dialback

# The tests of a file stay together: they share workers.
PYTEST = VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/python .ci/compat.py go run ./cmd/execnet pytest -q -n 2 --dist loadfile

# What qemu runs of Go's tests, and of the tests in which pip's execnet drives a Go worker. Only what starts no
# second program of that processor, as this system could not start it; of gpython, which takes long, what asks
# for the machine.
QEMU_PACKAGES := ./serializer ./xspec ./gateway_base ./bootstrap
# These measure memory, which is the same on all processors with words of 64 bits, and take long.
QEMU_SKIP := ^(TestCostIsBounded|TestHonestValuesAreLoaded)$$
QEMU_COMPAT := $(addprefix compat_tests/test_goworker_,values.py channels.py closing.py functions.py exec.py)

test-qemu: needs-qemu venv
	@for arch in arm64 s390x; do $(MAKE) --no-print-directory test-qemu-$$arch || exit 1; done
	CGO_ENABLED=0 EXECNET_TEST_VENV=$(CURDIR)/$(VENV) $(GO_TEST) -count=1 -timeout 20m -tags platforms -run TestQemu ./internal/release

test-qemu-%: export EXECNET_TEST_PYTHONS = $(PYTHON)
test-qemu-%: export EXECNET_TEST_VENV = $(CURDIR)/$(VENV)
test-qemu-%: QEMU_TEST = CGO_ENABLED=0 GOARCH=$* $(GO_TEST) -count=1 -vet=off -timeout 10m -exec '$(CURDIR)/.ci/qemu $*'
test-qemu-%:
	$(QEMU_TEST) -skip '$(QEMU_SKIP)' $(QEMU_PACKAGES)
	$(QEMU_TEST) -run 'TestModules$$|TestSys$$' ./gpython
	CGO_ENABLED=0 GOARCH=$* go build -o bin/$*/ ./compat_tests/goworker
	EXECNET_TEST_GOWORKER='$(CURDIR)/.ci/qemu $* $(CURDIR)/bin/$*/goworker' \
		$(PYTEST) -k 'not ssh and not via and not server' $(QEMU_COMPAT)

# Of the Go half of compat_tests what takes least time, and ssh, where PyPy has no locale. (Once more would be
# all of TestTransports.)
PYPY_TESTS := Channels|MainThreadOnly|Calls(ByPath|SideBySide|InTurn)|RemoteIter|Handles|ImportFS|RsyncRoutes

# Tests marked cpython use or expect what PyPy lacks or does in its own way.
test-pypy: export EXECNET_TEST_PYTHONS = $(shell command -v pypy3)
test-pypy: export EXECNET_TEST_VENV = $(CURDIR)/$(VENV)
test-pypy: needs-pypy venv
	$(GO_TEST) -count=1 -vet=off -timeout 10m ./bootstrap ./cpython
	$(GO_TEST) -count=1 -vet=off -timeout 10m -run '^Test($(PYPY_TESTS))$$' ./compat_tests
	go test -count=1 -vet=off -timeout 10m -run '^TestTransports$$/^ssh_to_3' ./compat_tests
	$(PYTEST) -m 'not cpython' compat_tests/test_worker_*.py

# What wine runs of Go's tests, beside a test of execnet.exe, and what of them it does not.
WINE := $(CURDIR)/$(VENV)/wine
WINE_PACKAGES := ./serializer ./xspec ./gateway_base ./bootstrap ./worker ./server ./cpython ./internal/process \
	./internal/pipe ./internal/cmdline ./internal/command/... ./rsync ./internal/rsync/...
# These want sh, for scripts that are Pythons or for what those print, and an sshd.
WINE_SKIP := TestWhatIsNoPython TestSilenceEndsWithTheContext TestNoiseBeforeTheAnswer TestNoisyShellOverSSH \
	TestNoiseAndNoAnswer TestImportNeedsExecnet TestEnvThroughEveryShell
# These want programs with the names echo and python3, and pytest.
WINE_SKIP += TestExecCannotStart TestRsyncTimeout TestPytest.*
# These want niceness, signals, or names with a quote.
WINE_SKIP += TestSetUp TestKilledWorker
# Windows tells of a pipe's end when all is read, so that this worker does not know that its driver is gone.
WINE_SKIP += TestRelayThatDoesNotRead
# Wine takes minutes to write as many lines, or as many files.
WINE_SKIP += TestOutput TestOutputStuck TestSendWideDirectory
# These want permissions and symbolic links, which wine only pretends to make.
WINE_SKIP += TestSendEveryShape TestSendLinksIntoTheTree

test-wine: export WINEPREFIX = $(WINE)
test-wine: export EXECNET_TEST_PYTHONS = C:\python\python.exe
test-wine: export EXECNET_TEST_VENV = C:\venv
test-wine: export EXECNET_TEST_PROGRAM = $(CURDIR)/bin/windows/execnet.exe
test-wine: WINE_ENV = CGO_ENABLED=0 GOOS=windows GOARCH=amd64 GOFLAGS=-overlay=$(WINE)/overlay.json
test-wine: WINE_TEST = $(WINE_ENV) $(GO_TEST) -p 1 -count=1 -vet=off -timeout 10m -exec '$(CURDIR)/.ci/wine'
test-wine: needs-wine $(WINE)/made
	$(WINE_ENV) go build -o bin/windows/ ./cmd/execnet
	$(WINE_TEST) -tags platforms ./cmd/execnet
	$(WINE_TEST) -skip '^($(subst $() ,|,$(strip $(WINE_SKIP))))$$' $(WINE_PACKAGES)

$(WINE)/made: .ci/wine-prefix .ci/wine embedded/go.mod $(VENV)/installed | needs-wine
	.ci/wine-prefix $(WINE) "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	touch $@

# Its first run builds kubectl, which takes minutes; later ones find that in the cache of go build.
test-kubectl:
	cd internal/testsupport/kubernetes && CGO_ENABLED=0 $(GO_TEST) -count=1 -timeout 20m .

needs:
	@missing=$$(.ci/needs | tr '\n' ' '); test -z "$$missing" || { \
		echo "The tests need programs that are not here. On Debian: apt-get install $$missing" >&2; exit 1; }

venv: $(VENV)/installed

$(VENV)/installed: requirements-test.txt compat_tests/requirements.txt .ci/pytests.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	$(BIN)/python .ci/pytests.py $(VENV)/pytest
	touch $@

# Not part of venv: the embedded CPython is a download that make check does without.
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
