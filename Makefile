# The whole daily life. Each target makes its own virtual environment from the package registry when it is missing.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DATA   ?= .annals

# Hundreds of processes are started here: each would compile the whole program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo serve test soak lint format bench docs dashboards pictures pins clean
.DEFAULT_GOAL := help

help:  ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml
	@echo "Setting up $(VENV) (once; about a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP)  ## Real photos through the unmodified CVAT client, every step an event, proved equal at the end
	@$(BIN)/annals demo

serve: $(STAMP)  ## Everything, on port 8080 and 8123, data in .annals (DATA=… for another folder)
	@$(BIN)/annals serve --data $(DATA)

test: $(STAMP)  ## The test suite (eight minutes on 4 cores)
	@$(BIN)/python -m pytest -n $${TEST_PROCESSES:-$$(( $$(getconf _NPROCESSORS_ONLN) > 3 ? 4 : 3 ))} --dist loadfile --no-loadscope-reorder -m "not soak"

soak: $(STAMP)  ## The long tests
	@$(BIN)/python -m pytest -m soak

lint: $(STAMP)  ## Style, types and layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP)  ## Put the code in order
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP)  ## Measure against the yardstick; rewrites docs/benchmarks.md
	@$(BIN)/python -m bench

docs: $(STAMP)  ## Write the generated reference anew
	@$(BIN)/annals docs

dashboards: $(STAMP)  ## Write Grafana's dashboards and the alert rules of docker/ anew
	@$(BIN)/python -m observability

pictures: $(STAMP)  ## Draw the dashboards of docs/images anew (Operations only where Prometheus is installed)
	@$(BIN)/python -m tests.pictures

UV  := $(BIN)/uv
PIN := UV_CUSTOM_COMPILE_COMMAND="make pins" $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --upgrade

pins: $(STAMP)  ## Pin what the image is built from to the versions that are here, and tested
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(UV) pip freeze --exclude-editable --python $(BIN)/python | $(PIN) --constraint - pyproject.toml --extra formats \
		--excludes docker/not-in-the-image.txt --output-file docker/requirements.txt
	@echo 'setuptools>=77' | $(PIN) - --output-file docker/build-requirements.txt

clean:  ## Remove what these targets made, but no data
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache
