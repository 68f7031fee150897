# PORT and DATA_DIR, from the environment or as in `make run PORT=9000`, reach every program started here.
BIN := .venv/bin
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
ARGS ?=

.PHONY: test run check fmt messages bench chaos lock runtime workshop

test: check $(CATALOGUES)  ## The whole truth: static checks, then every test; ARGS="-k word" narrows the tests
	$(BIN)/pytest -q $(ARGS)

run: runtime $(CATALOGUES)  ## Everything on one machine, in the foreground; a demo until a mailbox is connected
	@exec $(BIN)/signal-server run --demo auto

check: workshop  ## Format, lint, types, import contracts
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fmt: workshop
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

messages: workshop  ## Bring the catalogues to what the templates and the code say now
	$(BIN)/pybabel --quiet extract --mapping-file babel.cfg --keyword N_ --no-location --output locale/messages.pot .
	$(BIN)/pybabel --quiet update --no-wrap --ignore-obsolete --input-file locale/messages.pot --output-dir locale

bench: workshop $(CATALOGUES)  ## Mails per second, memory, time from arrival to the receiver
	$(BIN)/python -m tests.bench

chaos: workshop $(CATALOGUES)  ## Kill processes while mails arrive, and count what comes of it; ARGS="--mails 500 --seed 4"
	$(BIN)/python -m tests.chaos $(ARGS)

# Releases of the last week wait: most bad ones are found and withdrawn in that time.
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--exclude-newer "1 week"

lock:  ## Write the lock files anew from pyproject.toml (needs uv); UPGRADE=1 takes newer releases
	$(LOCK) $(if $(UPGRADE),--upgrade) --extra demo --extra postgres --group build --group dev \
		pyproject.toml -o requirements/dev.txt
	$(LOCK) --no-annotate --extra demo --group build -c requirements/dev.txt pyproject.toml -o requirements/run.txt
	echo uv | $(LOCK) --no-annotate - -o requirements/uv.txt
	printf 'django-mailbox\nmail-parser\n' | $(LOCK) --no-annotate --no-deps - -o requirements/corpus.txt

runtime:
	@requirements/install run

workshop:
	@requirements/install dev

%.mo: %.po | runtime
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@
