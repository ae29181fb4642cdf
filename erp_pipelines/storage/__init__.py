"""Every SQL statement of the product.

Functions take the connection first and return frozen dataclasses. Who opens a transaction
names its tenant (`Database.tenant`) or says that it serves them all (`Database.system`):
row-level security lets nothing else through.
"""
