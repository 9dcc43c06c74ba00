"""The ledger's tables, version by version.

A new file is made by running every step; an older one by running those it lacks, in one transaction.  A step that
was released is never changed.
"""

import re
import sqlite3

__all__ = ["SCHEMA_VERSION", "STEPS", "is_ledger", "upgrade"]

_FIRST = """
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
"""

# What the operator wants of a run, whichever process carries it on; findings as compressed JSON rows; jobs that
# enable protection of a group.
_SECOND = """
ALTER TABLE runs ADD COLUMN control TEXT NOT NULL DEFAULT 'go';
ALTER TABLE runs ADD COLUMN control_reason TEXT NOT NULL DEFAULT '';
CREATE TABLE findings (
  run_id TEXT NOT NULL REFERENCES runs, origin TEXT NOT NULL, batch_id TEXT NOT NULL, taken_at TEXT NOT NULL,
  rows BLOB NOT NULL, PRIMARY KEY (run_id, origin, batch_id)
) STRICT;
CREATE TABLE actions (
  run_id TEXT NOT NULL REFERENCES runs, group_id TEXT NOT NULL, action TEXT NOT NULL, intent_at TEXT NOT NULL,
  result TEXT, answered_at TEXT, job_id TEXT, message TEXT NOT NULL DEFAULT '', PRIMARY KEY (run_id, group_id, action)
) STRICT;
CREATE INDEX attempts_of_batch ON attempts (run_id, batch_id, attempt_id);
"""

# Which cloud a run belongs to, and whose each instance is.  Moments of the cloud's own clock decide about doubts; what
# an older version recorded has none.
_THIRD = """
ALTER TABLE runs ADD COLUMN project_name TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN cloud_host TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN user_name TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN world TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN times_offset_s REAL NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN times_seen TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN sent_cloud_at TEXT;
ALTER TABLE attempts ADD COLUMN answered_cloud_at TEXT;
ALTER TABLE attempts ADD COLUMN settling_from TEXT;
ALTER TABLE servers ADD COLUMN whose TEXT NOT NULL DEFAULT '';
ALTER TABLE servers ADD COLUMN proof TEXT NOT NULL DEFAULT '';
"""

# The pilot batch of a run, as JSON; what was seen of each assumption on a cloud (``scope`` as in ``claims``), the first
# and the newest time; what the operator ticked off the to-do list.
_FOURTH = """
ALTER TABLE runs ADD COLUMN pilot TEXT NOT NULL DEFAULT '';
CREATE TABLE observations (
  scope TEXT NOT NULL, assumption TEXT NOT NULL, seen TEXT NOT NULL, run_id TEXT NOT NULL DEFAULT '',
  request_id TEXT NOT NULL DEFAULT '', first_at TEXT NOT NULL, last_at TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (scope, assumption, seen, run_id)
) STRICT;
CREATE TABLE done_items (
  run_id TEXT NOT NULL REFERENCES runs, item TEXT NOT NULL, done_at TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (run_id, item)
) STRICT;
"""

#: What brings a file from version n to n + 1, at place n.
STEPS = (_FIRST, _SECOND, _THIRD, _FOURTH)
SCHEMA_VERSION = len(STEPS)


#: Tables that a ledger of every version has.
_OURS = frozenset(re.findall(r"CREATE TABLE (\w+)", _FIRST))


def is_ledger(db: sqlite3.Connection) -> bool:
    """Tell whether the open file is a ledger, or empty and so may become one."""
    tables = {str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return not tables or tables >= _OURS


def upgrade(db: sqlite3.Connection) -> int:
    """Bring the open file to the present version and return the version it had; a newer one is left alone."""
    db.execute("BEGIN IMMEDIATE")
    try:
        found = int(db.execute("PRAGMA user_version").fetchone()[0])
        for step in STEPS[found:]:
            for statement in step.split(";\n"):
                db.execute(statement)
        if found < SCHEMA_VERSION:
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return found
