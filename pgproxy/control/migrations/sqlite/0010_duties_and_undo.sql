-- Who may change policy and who may watch, apart from who may see data; what each change can be undone by.

ALTER TABLE principals ADD COLUMN is_security_officer INTEGER NOT NULL DEFAULT 0
    CHECK (is_security_officer IN (0, 1));
ALTER TABLE principals ADD COLUMN is_auditor INTEGER NOT NULL DEFAULT 0 CHECK (is_auditor IN (0, 1));

ALTER TABLE policy_versions ADD COLUMN undo TEXT CHECK (undo IS NULL OR json_valid(undo));
