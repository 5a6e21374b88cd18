-- name: lock
-- Locks a task and tells where it stands.
select t.id, t.status, t.attempt, t.last_seq, t.owner, t.lane, t.priority, t.started_at, t.finished_at, t.key_release, n.processor,
       t.version
from tasks t join lanes n on n.id = t.lane where t.id = $1 for no key update of t

-- name: version
-- The version of a task as its readers see it.
select version from task_current where id = $1

-- name: lease_of
-- The lease of a task, if it has one.
select worker_id, attempt, started_at, progress, tick from task_leases where task_id = $1 for update

-- name: take_ready
-- Takes a task out of the ready table.
delete from task_ready where task_id = $1 returning attempt

-- name: take_scheduled
-- Takes a task out of the schedule.
delete from task_schedule where task_id = $1 returning task_id

-- name: flag_cancel
-- Asks the worker that runs a task to stop it.
update task_leases set cancel_requested = true where task_id = $1 returning worker_id, attempt

-- name: ask_to_cancel
-- Notes in a task, which the caller has locked, that it is to be cancelled: an attempt that wants to run again
-- meets this in the row that it locks. No row when somebody has asked before.
update tasks set cancel_reason = $2 where id = $1 and cancel_reason is null returning id

-- name: end_cancelled
-- Makes a waiting task cancelled, with its event, its count and its key.
with ended as (
    update tasks set status = 'cancelled', finished_at = $2, error = $3, last_seq = last_seq + 1, version = version + 1
    where id = $1 returning id, owner, lane, last_seq, key_release
),
told as (
    insert into task_events (task_id, seq, at, kind, data) select id, last_seq, $2, 'cancelled', $4 from ended
),
counted as (
    insert into task_counts (owner, lane, status, tasks)
    select e.owner, e.lane, c.status, c.tasks from ended e, (values ('pending', -1), ('cancelled', 1)) as c(status, tasks)
),
unkeyed as (
    delete from task_keys k using ended e where k.task_id = e.id and e.key_release in ('n', 'f')
)
select last_seq from ended

-- name: tell
-- Adds one event to a task that the caller has locked.
with grown as (update tasks set last_seq = last_seq + 1, version = version + 1 where id = $1 returning id, last_seq)
insert into task_events (task_id, seq, at, attempt, kind, data) select id, last_seq, $2, $3, $4, $5 from grown returning seq

-- name: requeue
-- Sends a finished task round again; the caller has locked it.
with before as (
    select id, status, owner, lane, started_at, finished_at from tasks where id = $1
),
again as (
    update tasks set status = 'pending', failures = 0, run_at = null, cancel_reason = null, last_seq = last_seq + 1, version = version + 1
    where id = $1 returning id, lane, priority, attempt, last_seq
),
readied as (
    insert into task_ready (lane, priority, task_id, attempt) select lane, priority, id, attempt from again
    returning lane, priority, position
),
told as (
    insert into task_events (task_id, seq, at, kind) select id, last_seq, $2, 'requeued' from again
),
counted as (
    insert into task_counts (owner, lane, status, tasks, duration_ms)
    select owner, lane, 'pending', 1, 0 from before
    union all
    select owner, lane, status, -1,
           case status when 'completed' then -(extract(epoch from finished_at - started_at) * 1000)::bigint else 0 end
    from before
)
select r.lane, r.priority, r.position, a.last_seq from readied r, again a

-- name: move_ready
-- Gives a ready task another priority; it goes to the end of that one.
update task_ready set priority = $2, position = nextval('task_position') where task_id = $1 returning lane, priority, position

-- name: hold_scheduled
-- Locks the schedule entry of a task against its promotion.
select task_id from task_schedule where task_id = $1 for update

-- name: set_priority
-- Writes the priority into a task that the caller has locked.
update tasks set priority = $2 where id = $1

-- name: delete
-- Deletes a task, which the caller has locked, with everything that is its own.
with gone as (
    delete from tasks where id = $1 returning id, owner, lane, status, started_at, finished_at
),
r as (delete from task_ready where task_id = $1),
s as (delete from task_schedule where task_id = $1),
l as (delete from task_leases where task_id = $1 returning worker_id),
e as (delete from task_events where task_id = $1),
p as (delete from task_attempts where task_id = $1),
c as (delete from task_checkpoints where task_id = $1),
k as (delete from task_keys where task_id = $1),
a as (delete from artifacts where task_id = $1),
counted as (
    insert into task_counts (owner, lane, status, tasks, duration_ms)
    select owner, lane, status, -1,
           case status when 'completed' then -(extract(epoch from finished_at - started_at) * 1000)::bigint else 0 end
    from gone
)
select (select worker_id from l) as worker_id from gone

-- name: free_key
-- Lets go of the keys of a task.
delete from task_keys where task_id = $1

-- name: claim_external
-- Gives a waiting task to an outside service; the caller has locked it and taken it out of its place.
insert into task_leases (task_id, worker_id, attempt, lane, position, started_at, deadline)
select id, 0, attempt + 1, lane, nextval('task_position'), now(), now() + coalesce(timeout_seconds, $2) * interval '1 second'
from tasks where id = $1
returning attempt

-- name: report_progress
-- What an outside service says of a task that it runs.
update task_leases set progress = $2, tick = tick + 1 where task_id = $1 and worker_id = 0 returning attempt

-- name: set_result_url
-- Where an outside service keeps its result.
update tasks set result_url = $2, version = version + 1 where id = $1
