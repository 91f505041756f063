-- Rollouts, and what each gateway has seen of the stage that began at `since`.

CREATE TABLE rollouts (
    name text PRIMARY KEY CHECK (name <> ''),
    target text NOT NULL CHECK (target <> ''),
    stages text NOT NULL,
    hold_s text NOT NULL,
    limits text NOT NULL,
    unit text NOT NULL CHECK (unit IN ('principal', 'session')),
    stage integer NOT NULL,
    status text NOT NULL CHECK (status IN ('RUNNING', 'PAUSED', 'HALTED', 'COMPLETED', 'ABORTED')),
    since text NOT NULL,
    reason text NOT NULL
);

CREATE TABLE rollout_figures (
    rollout text NOT NULL,
    since text NOT NULL,
    gateway text NOT NULL,
    figures text NOT NULL,
    PRIMARY KEY (rollout, since, gateway)
);
