"""The front door: listener, connection shell, TLS, cancellation, drain. No decisions."""
