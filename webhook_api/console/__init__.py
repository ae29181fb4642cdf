"""The console: server-rendered pages for admins and sales managers. Scripts are a convenience; forms do the work."""
