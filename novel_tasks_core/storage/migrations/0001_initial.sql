-- The whole data model. A task is in exactly one location: task_ready, task_schedule, task_leases, or final
-- (tasks.status other than pending). Wide rows are written at submit and at the end of an attempt; the churn
-- between happens in the tiny tables.
-- min_compatible: 1

create table lanes (
    id        integer generated always as identity primary key,
    processor text    not null unique check (processor <> ''),
    paused    boolean not null default false
);

create table files (
    sha256     bytea       primary key check (octet_length(sha256) = 32),
    size       bigint      not null check (size >= 0),
    touched_at timestamptz not null default now()
);

create table tasks (
    id               uuid        primary key,
    lane             integer     not null,
    owner            text        not null default '',
    priority         smallint    not null default 0,
    max_attempts     smallint    check (max_attempts > 0),
    timeout_seconds  double precision check (timeout_seconds > 0),
    run_at           timestamptz,
    source_sha256    bytea       references files (sha256),
    source_size      bigint,
    source_name      text,
    options          json,
    extra_data       json,
    session_id       text,
    key_release      "char"      check (key_release in ('n', 'f', 'd')),  -- n finish, f failure, d delete; null: no key
    attempt          integer     not null default 0,                      -- the last attempt that ended
    failures         integer     not null default 0,
    status           text        not null default 'pending'
                                 check (status in ('pending', 'completed', 'failed', 'cancelled')),
    result           json,
    result_attempt   integer,
    result_url       text,
    error            json,
    cancel_reason    text,                                                -- set while an attempt is asked to stop
    finished_worker  bigint,                                              -- with attempt: who ended it, for unknown commits
    started_at       timestamptz,
    finished_at      timestamptz,
    created_at       timestamptz not null,
    last_seq         integer     not null default 0,
    version          integer     not null default 1,
    check ((source_sha256 is null) = (source_size is null) and (source_sha256 is null) = (source_name is null)),
    check ((status = 'pending') or finished_at is not null)
) with (fillfactor = 80);

create index tasks_by_owner on tasks (owner, id) where owner <> '';
create index tasks_by_source on tasks (source_sha256) where source_sha256 is not null;
create index tasks_unhappy on tasks (status, id) where status in ('failed', 'cancelled');
create index tasks_by_name on tasks (lower(source_name) text_pattern_ops) where source_name is not null;

create sequence task_position;

create table task_ready (
    lane     integer  not null,
    priority smallint not null,
    position bigint   not null default nextval('task_position'),
    task_id  uuid     not null unique,
    attempt  integer  not null default 0,
    primary key (lane, priority, position)
) with (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

create table task_schedule (
    run_at  timestamptz not null,
    task_id uuid        not null unique,
    primary key (run_at, task_id)
) with (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

create table workers (
    id      bigint      generated always as identity primary key,
    name    text        not null,
    host    text        not null,
    pid     integer     not null,
    version text        not null,
    slots   integer     not null,
    state   text        not null default 'running' check (state in ('running', 'draining')),
    beat_at timestamptz not null default now()
) with (fillfactor = 50);

create table task_leases (
    task_id          uuid        primary key,
    worker_id        bigint      not null,                                -- 0: an outside service
    attempt          integer     not null,
    lane             integer     not null,
    position         bigint      not null,                                -- its old place, for a release
    started_at       timestamptz not null,
    deadline         timestamptz not null,
    cancel_requested boolean     not null default false,
    progress         real        not null default 0,
    stage            text        not null default '',
    tick             integer     not null default 0
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

create index task_leases_by_worker on task_leases (worker_id);

create table task_events (
    task_id uuid        not null,
    seq     integer     not null check (seq > 0),
    at      timestamptz not null,
    attempt integer     not null default 0,
    kind    text        not null,
    data    json,
    primary key (task_id, seq)
);

create table task_attempts (
    task_id     uuid        not null,
    attempt     integer     not null,
    worker_id   bigint      not null,
    started_at  timestamptz not null,
    finished_at timestamptz not null,
    outcome     text        not null check (outcome in ('completed', 'retry', 'failed', 'cancelled', 'released', 'lost')),
    error       json,
    primary key (task_id, attempt)
);

create table task_checkpoints (
    task_id uuid    primary key,
    attempt integer not null,
    value   json    not null
);

create table task_keys (
    owner   text not null,
    key     text not null,
    task_id uuid not null,
    primary key (owner, key)
);
create index task_keys_by_task on task_keys (task_id);

create table artifacts (
    task_id      uuid    not null,
    attempt      integer not null,
    name         text    not null,
    content_type text    not null,
    size         bigint  not null,
    sha256       bytea   not null references files (sha256),
    primary key (task_id, attempt, name)
);
create index artifacts_by_file on artifacts (sha256);

-- Append-only deltas, rolled up by maintenance: a sum over them is exact at any moment.
create table task_counts (
    owner       text    not null,
    lane        integer not null,
    status      text    not null,
    tasks       bigint  not null,
    duration_ms bigint  not null default 0
);
create index task_counts_by_owner on task_counts (owner, lane, status);

create table api_tokens (
    id         uuid        primary key,
    owner      text        not null,
    scopes     text[]      not null,
    sha256     bytea       not null unique check (octet_length(sha256) = 32),
    name       text        not null default '',
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

create table maintenance (
    name    text        primary key,
    next_at timestamptz not null default now()
);

-- The one place that derives "processing": a pending task with a lease. Lists read it without result and options,
-- which PostgreSQL then never fetches.
create view task_current as
select t.id, t.lane, n.processor, t.owner, t.priority, t.max_attempts, t.timeout_seconds, t.run_at,
       t.source_sha256, t.source_size, t.source_name, t.options, t.extra_data, t.session_id,
       coalesce(l.attempt, t.attempt) as attempt, t.failures,
       t.status as stored_status,
       case when l.task_id is not null then 'processing' else t.status end as status,
       t.result, t.result_attempt, t.result_url, t.error,
       case when l.task_id is not null then l.started_at else t.started_at end as started_at,
       t.finished_at, t.created_at, t.last_seq,
       case when l.task_id is not null then l.progress when t.status = 'completed' then 1 else 0 end as progress,
       coalesce(l.stage, '') as stage,
       coalesce(l.cancel_requested, false) as cancel_requested,
       l.worker_id, l.deadline,
       t.version || '.' || coalesce(l.attempt, t.attempt) || '.' || coalesce(l.tick, 0) as version
from tasks t
join lanes n on n.id = t.lane
left join task_leases l on l.task_id = t.id;
