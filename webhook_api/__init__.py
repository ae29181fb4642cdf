"""The FastAPI door: webhooks, OAuth callbacks, the REST API and the console."""
