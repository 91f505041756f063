"""What PostgreSQL keeps per session: settings, transaction, portals, and the pinned engine session."""
