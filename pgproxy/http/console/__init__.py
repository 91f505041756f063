"""The operator console: server-rendered pages with a little script, for administrators and auditors."""
