# The tests and the figures. `make test STAGES="types sqlite"` runs some stages only; CI runs them all.
.PHONY: test bench

test: ready
	@$(PY) scripts/test.py $(STAGES)

# Figures, one `name: value` a line: `make bench`, `make bench ONLY=booking`, `make bench ONLY=journal`.
bench: ready
	@$(PY) -m bench $(ONLY)

# A long run: `make bench-growth MOST=5000000` takes about 25 minutes and 30 GB under the temporary folder.
MOST ?= 1000000
bench-growth: ready
	@$(PY) -m bench.journal $(MOST) docs/pictures/growth.svg
