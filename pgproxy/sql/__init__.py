"""Client text in, plan or denial out. Pure; sqlglot is the only library."""
