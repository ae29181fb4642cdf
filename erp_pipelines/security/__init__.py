"""Secrets: ciphers, signatures, single-use states, and what is masked before it is logged."""
