"""Whether all is well over all connections, as asset checks. They read; mending is for people and the outbox."""
