"""The `erp` command line: a door like the others; each command calls inwards and shows what came of it."""
