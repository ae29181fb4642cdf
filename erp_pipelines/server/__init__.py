"""What runs on this machine: an embedded PostgreSQL and a supervisor of local services."""
