"""QuickBooks Online, Accounting API v3. What is said here about it comes from Intuit's documentation and recorded traffic."""
