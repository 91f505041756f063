"""What happens now, as relations: sessions, statements, endpoints, assignments, history, audit log."""
