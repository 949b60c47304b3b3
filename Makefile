# Every target sets up what it needs. See CONTRIBUTING.md.
.PHONY: demo serve test check soak bench format lock docs wheel clean
.DEFAULT_GOAL := demo
BIN := .venv/bin

demo: ## check, compose and "send" the newest sample issue into a folder
	@tools/setup.sh run
	@$(BIN)/python tools/demo.py

serve: ## the public pages of a newsletter to play with, at http://127.0.0.1:8000
	@tools/setup.sh run
	@$(BIN)/python tools/serve.py

test: check ## everything CI runs

check:
	@tools/setup.sh dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 4 --dist worksteal

soak: ## the same tests with larger numbers; takes long
	@tools/setup.sh dev
	NEWSLETTER_SOAK=1 $(BIN)/pytest -n 4 --dist worksteal

bench: ## measure what the speed claims rest on
	@tools/setup.sh dev bench
	$(BIN)/python benchmarks/run.py

format:
	@tools/setup.sh dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: ## generate docs/reference from the code
	@tools/setup.sh dev
	$(BIN)/python tools/reference.py

lock: ## needs uv: pip install uv
	tools/lock.sh

wheel:
	@tools/setup.sh dev
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean:
	rm -rf .venv build dist outbox .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
