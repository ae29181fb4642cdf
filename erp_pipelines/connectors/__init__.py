"""Providers of ERPs: one package each with the same file names, reached through `registry` only."""
