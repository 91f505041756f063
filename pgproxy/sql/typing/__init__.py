"""Which function, operator or common type PostgreSQL chooses for arguments, some of unknown type."""
