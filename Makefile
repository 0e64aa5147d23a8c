# Each target that needs .venv makes it where it is missing, half-made, moved, or older than its two sources.
PYTHON ?= python3
ARGS ?=
HISTORY ?= reports/history
SEEDS ?= 1
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONSTRAINTS ?= constraints.txt
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c $(CONSTRAINTS)
EFFORT := $(if $(QUICK),--theorem-effort=quick)
# Compiled files are kept: nested runs of pytest and workers start in half the time.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help theorems test docs mutants mutants-once bench calibrate fresh nightly browser setup clean

# The stamp is written last and holds the folder it was made in; without it, or where it does not fit, start over. So
# does a PYTHON that is named and is not the one that .venv was made with.
MADE_WITH := $(VENV)/.python
NAMED := $(filter-out file,$(origin PYTHON))
FITS = $(if $(NAMED),test "$$(cat $(MADE_WITH) 2>/dev/null)" = "$(PYTHON)",true)
WHOLE := $(shell test "$$(cat $(STAMP) 2>/dev/null)" = "$(CURDIR)" && $(FITS) && $(BIN)/python -c '' 2>/dev/null && echo yes)
ifneq ($(WHOLE),yes)
.PHONY: $(STAMP)
endif

help:
	@echo 'make theorems   run the theorem checks: pytest -n auto theorem_checks/'
	@echo 'make test       lint, check types, and run the tests of the machinery'
	@echo 'make docs       build the site, docs/_build/index.html; warnings are errors'
	@echo 'make mutants-once  plant every known fault once: the check or test named for it must catch it'
	@echo 'make mutants    plant every known fault, see which checks catch it, and write docs/measured/mutants.md'
	@echo 'make bench      print the benchmark ratios beside their targets, and write docs/measured/benchmarks.md'
	@echo 'make calibrate  measure every false-alarm rate and write docs/measured/calibration.md (minutes)'
	@echo 'make fresh      run the checks at SEEDS=n seeds that nobody chose, and keep docs/measured/fresh-seeds.md (minutes a seed)'
	@echo 'make nightly    a fresh seed at nightly effort, kept in HISTORY (reports/history), with a page and a summary'
	@echo 'make browser    install Chromium for the browser tests (Debian, Ubuntu; as root or by sudo)'
	@echo 'make setup      only set .venv up; those above do it themselves'
	@echo 'make clean      remove .venv and caches; reports/ stays'
	@echo
	@echo 'ARGS="..."      more arguments, e.g. make theorems ARGS="-k MW-3", make bench ARGS="--only dense"'
	@echo 'NIGHTLY=1       nightly effort (make fresh)'
	@echo 'QUICK=1         a quarter of the configurations, smaller top widths (make theorems)'
	@echo 'PYTHON=...      the Python, 3.11 or later, that .venv is made with, anew if it was another (default: python3)'

theorems: $(STAMP)
	$(BIN)/pytest -n auto $(strip theorem_checks/ $(EFFORT) $(ARGS))

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist worksteal -m 'not mutant' $(strip tests/ $(ARGS))

# Sphinx has an environment of its own, which reads signflip and what it needs from .venv: see constraints-docs.txt.
DOCS := .venv-docs
docs: $(DOCS)/.installed
	$(DOCS)/bin/python -m sphinx -b html -q -W --keep-going docs docs/_build
	@echo 'site: docs/_build/index.html'

$(DOCS)/.installed: $(STAMP) constraints-docs.txt
	$(BIN)/python -m venv --clear $(DOCS)
	$(DOCS)/bin/python -m pip install --disable-pip-version-check -q -c constraints-docs.txt sphinx myst-parser furo sphinxcontrib-bibtex sphinx-copybutton sphinx-mathjax-offline
	$(DOCS)/bin/python -c 'import pathlib, subprocess, sysconfig; read = "import sysconfig; print(sysconfig.get_path(\"purelib\"))"; pathlib.Path(sysconfig.get_path("purelib"), "venv.pth").write_bytes(subprocess.check_output(["$(BIN)/python", "-c", read]))'
	@touch $@

mutants-once: $(STAMP)
	$(BIN)/pytest -n auto --dist worksteal -m mutant $(strip tests/mutants $(ARGS))

mutants: $(STAMP)
	$(BIN)/python tests/mutants
	$(BIN)/python -m calibration.measured

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(strip $(ARGS))

calibrate: $(STAMP)
	$(BIN)/python -m calibration
	$(BIN)/python -m calibration.measured

fresh: $(STAMP)
	$(BIN)/python -m calibration.fresh --seeds=$(SEEDS) --effort=$(if $(QUICK),quick,$(if $(NIGHTLY),nightly,standard)) $(if $(ARGS),-- $(ARGS)); status=$$?; $(BIN)/python -m calibration.measured; exit $$status

# The same run anywhere: by hand, by cron, on a cluster, in a workflow. Its exit status is that of the checks.
nightly: $(STAMP)
	$(BIN)/signflip nightly --history "$(HISTORY)" $(strip $(if $(QUICK),--effort=quick) $(if $(ARGS),-- $(ARGS)))

# Does nothing where both programs are there already.
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then echo 'browser: already installed'; \
	else set -e; as=''; test "$$(id -u)" = 0 || as=sudo; \
	  $$as apt-get update -q; \
	  $$as env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium chromium-driver; fi

setup: $(STAMP)

# setuptools is installed first, pinned, and builds the package here: pip's own build environment knows no pins.
$(STAMP): pyproject.toml constraints.txt
ifneq ($(WHOLE),yes)
	@command -v "$(PYTHON)" >/dev/null || { echo 'signflip: no command "$(PYTHON)"; name a Python with PYTHON=...' >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "signflip needs Python 3.11 or later; $(PYTHON) is $$("$(PYTHON)" --version 2>&1); name another with PYTHON=..." >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)
	@printf '%s' '$(PYTHON)' > $(MADE_WITH)
endif
	@rm -f $@
	$(PIP) setuptools
	$(PIP) --no-build-isolation -e '.[dev]'
	@printf '%s' '$(CURDIR)' > $@

clean:
	rm -rf $(VENV) $(DOCS) docs/_build *.egg-info build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
