-- Row filters for one command: CREATE POLICY … FOR SELECT, INSERT, UPDATE or DELETE.

ALTER TABLE row_filters ADD COLUMN command TEXT NOT NULL DEFAULT 'ALL'
    CHECK (command IN ('ALL', 'SELECT', 'INSERT', 'UPDATE', 'DELETE'));
