-- An assignment that moves nobody: a share of what is served here is run there, too, and compared.

ALTER TABLE assignments ADD COLUMN shadow_percent integer NOT NULL DEFAULT 0 CHECK (shadow_percent BETWEEN 0 AND 100);
