"""Who may speak to an ERP: consent, tokens, the settings and the health of connections."""
