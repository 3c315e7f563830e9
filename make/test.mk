# The tests and the figures. `make test STAGES="types sqlite"` runs some stages only; CI runs them all.
.PHONY: test bench

test: ready
	@$(PY) scripts/test.py $(STAGES)

# Figures, one `name: value` a line: `make bench`, `make bench ONLY=booking`, `make bench ONLY=journal`.
bench: ready
	@$(PY) -m bench $(ONLY)
