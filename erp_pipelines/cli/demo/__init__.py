"""The demo: what `erp demo` starts, tells and checks."""
