"""Which engine runs a statement: the decision, what is known of the endpoints, and the way to a result."""
