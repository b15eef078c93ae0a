# Forwards to tasks.py, where everything is; on Windows: python tasks.py TARGET
PYTHON ?= python3
TARGETS := setup demo test lab notebooks extract bench lint conformance browser readme screenshots

.PHONY: help $(TARGETS)

help:
	@$(PYTHON) tasks.py

$(TARGETS):
	@$(PYTHON) tasks.py $@
