-- Lets the end of a task be a HOT update, and a lease cost one index less.
-- min_compatible: 1

-- An index on the status would forbid HOT updates to every task that ends; this column stays null for the happy ones.
alter table tasks add column unhappy text
    generated always as (case when status in ('failed', 'cancelled') then status end) stored;
create index tasks_unhappy_by_id on tasks (unhappy, id) where unhappy is not null;
drop index tasks_unhappy;
alter table tasks set (fillfactor = 60);

-- Heartbeats look for leases that somebody cancelled; nothing else looks for leases by their worker but rare repairs.
create index task_leases_cancelled on task_leases (worker_id) where cancel_requested;
drop index task_leases_by_worker;

-- All attempts that ended. That of a completed task is told by the task; task_attempts has it only once another one may follow.
create view all_attempts as
select task_id, attempt, worker_id, started_at, finished_at, outcome, error from task_attempts
union all
select t.id, t.attempt, t.finished_worker, t.started_at, t.finished_at, 'completed', null
from tasks t
where t.status = 'completed' and t.attempt > 0
  and not exists (select from task_attempts a where a.task_id = t.id and a.attempt = t.attempt);

-- As before, with the column by which lists find failed and cancelled tasks.
create or replace view task_current as
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
       t.version || '.' || coalesce(l.attempt, t.attempt) || '.' || coalesce(l.tick, 0) as version,
       t.unhappy
from tasks t
join lanes n on n.id = t.lane
left join task_leases l on l.task_id = t.id;
