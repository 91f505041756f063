"""The gateway over HTTP: /health, /metrics; nothing of PostgreSQL here."""
