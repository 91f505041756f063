"""Who may see what. Pure: no I/O, no clock, no SQL engine."""
