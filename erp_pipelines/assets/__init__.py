"""What is in the ERP, as Dagster shows it: one partition for each connection.

The assets stand in `in_erp`; what is said about a piece of work in `metadata`, and how it reaches Dagster
in `recorder`. How the work gets done is `delivery`'s business, when it is done that of `jobs` and `sensors`.
"""
