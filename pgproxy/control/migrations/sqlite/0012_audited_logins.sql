-- Logins in the audit log: why they failed, and how many share a row.

ALTER TABLE audit_log ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
