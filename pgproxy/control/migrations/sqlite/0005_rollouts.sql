-- Rollouts, and what each gateway has seen of the stage that began at `since`.

CREATE TABLE rollouts (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    target TEXT NOT NULL CHECK (target <> ''),
    stages TEXT NOT NULL,
    hold_s TEXT NOT NULL,
    limits TEXT NOT NULL,
    unit TEXT NOT NULL CHECK (unit IN ('principal', 'session')),
    stage INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('RUNNING', 'PAUSED', 'HALTED', 'COMPLETED', 'ABORTED')),
    since TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

CREATE TABLE rollout_figures (
    rollout TEXT NOT NULL,
    since TEXT NOT NULL,
    gateway TEXT NOT NULL,
    figures TEXT NOT NULL,
    PRIMARY KEY (rollout, since, gateway)
) STRICT, WITHOUT ROWID;
