# Everything a person needs; each target can be run twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The oldest boto3 that is supported: that of SageMaker Distribution 3.9.
OLDEST := boto3==1.37.3 botocore==1.37.3 's3transfer==0.11.*'

.PHONY: quickstart lab test test-oldest bench soak lint notebooks clean

quickstart: $(VENV)/.local ## install with the embedded default and answer the quickstart's questions
	@$(BIN)/bluebear run notebooks/quickstart.ipynb --output build/quickstart.ipynb
	@echo "Open it with: make lab"

lab: $(VENV)/.lab ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=notebooks quickstart.ipynb

test: $(VENV)/.dev lint ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile
	BLUEBEAR_PROGRESS=false $(BIN)/python -m pytest --nbval notebooks

test-oldest: $(VENV)/.dev ## Bedrock's tests with the oldest boto3 that is supported
	$(BIN)/python -m pip install --quiet --upgrade --no-deps --target build/oldest $(OLDEST)
	@PYTHONPATH=$(CURDIR)/build/oldest $(BIN)/python -c 'import boto3; print("boto3", boto3.__version__)'
	PYTHONPATH=$(CURDIR)/build/oldest $(BIN)/python -m pytest tests/aws tests/functional/test_bedrock_loop.py

lint: $(VENV)/.dev ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## figures, each beside a peer measured in the same run
	$(BIN)/python tests/benchmarks/bench.py
	$(BIN)/python tests/benchmarks/bench_sampling.py
	$(BIN)/python tests/benchmarks/bench_runner.py
	$(BIN)/python -m tests.benchmarks.bench_bedrock
	$(BIN)/python -m tests.benchmarks.bench_s3

soak: $(VENV)/.dev ## a thousand checks in one worker, thirty cold starts
	$(BIN)/python tests/benchmarks/soak.py

notebooks: $(VENV)/.dev ## run the committed notebooks again and keep their outputs
	$(BIN)/bluebear run notebooks/quickstart.ipynb --inplace

clean: ## remove what the targets above made
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Bluebear needs Python 3.10 or later; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.local: pyproject.toml | $(VENV)/bin/python
	@echo "Installing Bluebear with local Spark and its Java (about 650 MB to download, once)"
	$(BIN)/python -m pip install --editable '.[local]'
	@touch $@

$(VENV)/.lab: $(VENV)/.local
	$(BIN)/python -m pip install --editable '.[local,lab]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "Installing Bluebear with everything that its tests use"
	$(BIN)/python -m pip install --editable '.[dev]'
	@touch $@
