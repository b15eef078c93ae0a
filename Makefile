# Forwards to tasks.py, where everything is; on Windows: python tasks.py TARGET
PYTHON ?= python3
TARGETS := setup demo test lab notebooks extract bench lint conformance browser screenshots readme

.PHONY: help $(TARGETS)

help:
	@$(PYTHON) tasks.py

$(TARGETS):
	@$(PYTHON) tasks.py $@
