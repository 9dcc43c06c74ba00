-- A ledger as the first release wrote it: format 1, one run that has ended with a server of unknown fate.
CREATE TABLE runs (
  run_id TEXT PRIMARY KEY, created_at TEXT NOT NULL, endpoint TEXT NOT NULL, region TEXT NOT NULL,
  project_id TEXT NOT NULL, fingerprint TEXT NOT NULL, rulebook_version TEXT NOT NULL, plan TEXT NOT NULL,
  approval TEXT NOT NULL, settings TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE batches (
  run_id TEXT NOT NULL REFERENCES runs, batch_id TEXT NOT NULL, position INTEGER NOT NULL, group_id TEXT NOT NULL,
  state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', job_id TEXT, PRIMARY KEY (run_id, batch_id)
) STRICT;
CREATE TABLE servers (
  run_id TEXT NOT NULL REFERENCES runs, server_id TEXT NOT NULL, batch_id TEXT NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, group_id TEXT NOT NULL, stage TEXT NOT NULL, job_id TEXT, protected_instance_id TEXT,
  dr_server_id TEXT, error_code TEXT, message TEXT NOT NULL DEFAULT '', PRIMARY KEY (run_id, server_id)
) STRICT;
CREATE TABLE attempts (
  attempt_id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs, batch_id TEXT NOT NULL,
  payload_sha256 TEXT NOT NULL, intent_at TEXT NOT NULL, result TEXT, answered_at TEXT, job_id TEXT, status INTEGER,
  code TEXT, request_id TEXT, message TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE jobs (
  run_id TEXT NOT NULL REFERENCES runs, job_id TEXT NOT NULL, batch_id TEXT NOT NULL, status TEXT NOT NULL,
  document TEXT NOT NULL, looks INTEGER NOT NULL, first_look_at TEXT NOT NULL, last_look_at TEXT NOT NULL,
  PRIMARY KEY (run_id, job_id)
) STRICT;
CREATE TABLE claims (
  scope TEXT NOT NULL, server_id TEXT NOT NULL, run_id TEXT NOT NULL REFERENCES runs,
  PRIMARY KEY (scope, server_id)
) STRICT;
CREATE TABLE events (
  event_id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,
  batch_id TEXT, data TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_run ON events (run_id, event_id);
INSERT INTO runs VALUES ('20260101-000000-aaaaaa', '2026-01-01T00:00:00.000+00:00', 'http://127.0.0.1:1', 'sandbox-1',
  'p1', 'ffff', 'test', '{}', '{"fingerprint": "ffff", "who": "ops", "when": "2026-01-01T00:00:00Z"}', '{}', 'done', '');
INSERT INTO batches VALUES ('20260101-000000-aaaaaa', 'b001', 0, 'g1', 'unknown', '', NULL);
INSERT INTO servers VALUES ('20260101-000000-aaaaaa', 's1', 'b001', 0, 'db', 'g1', 'created', NULL, 'i1', 'd1', NULL, '');
INSERT INTO servers VALUES ('20260101-000000-aaaaaa', 's2', 'b001', 1, 'web', 'g1', 'unknown', NULL, NULL, NULL, NULL, '');
INSERT INTO claims VALUES ('http://127.0.0.1:1 p1', 's2', '20260101-000000-aaaaaa');
PRAGMA user_version=1;
