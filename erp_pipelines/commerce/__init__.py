"""The host's side: saves customers, products, orders and payments; each change appends its event in the same transaction.

Functions take the transaction first (`Database.tenant(tenant_id)`) and never commit it: what the
caller rolls back was never told to anybody.
"""
