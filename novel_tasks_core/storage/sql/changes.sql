-- name: by_index
-- For the transaction: a batch is found by its ids, however little the statistics know of the tables.
select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)

-- name: lock
-- Locks tasks, in the order of their ids, and tells how they stand.
select t.id, t.status, t.attempt, t.last_seq, t.priority, t.cancel_reason, t.finished_at, t.owner, t.key, n.processor
from tasks t join lanes n on n.id = t.lane where t.id = any($1::uuid[]) order by t.id for no key update of t

-- name: lock_free
-- The same for those that nobody else has locked.
select t.id, t.status, t.attempt, t.last_seq, t.priority, t.cancel_reason, t.finished_at, t.owner, t.key, n.processor
from tasks t join lanes n on n.id = t.lane where t.id = any($1::uuid[]) order by t.id for no key update of t skip locked

-- name: existing
-- Those of the given tasks that exist.
select id from tasks where id = any($1::uuid[])

-- name: version
-- The version of a task as its readers see it.
select version from task_current where id = $1

-- name: hold_scheduled
-- Locks schedule entries against their promotion.
select task_id from task_schedule where task_id = any($1::uuid[]) order by task_id for update

-- name: hold_ready
-- Locks ready tasks against their claim.
select task_id from task_ready where task_id = any($1::uuid[]) order by task_id for update

-- name: hold_leases
-- Locks the leases of tasks.
select task_id, worker_id, attempt from task_leases where task_id = any($1::uuid[]) order by task_id for update

-- name: hold_free_leases
-- The same for leases that nobody else has locked.
select task_id, worker_id, attempt from task_leases where task_id = any($1::uuid[]) order by task_id for update skip locked

-- name: end_cancelled
-- Makes waiting tasks, which the caller holds, cancelled, with their events, counts, keys and checkpoints.
with ended as (
    update tasks set status = 'cancelled', finished_at = $2, error = $3, last_seq = last_seq + 1, version = version + 1
    where id = any($1::uuid[]) returning id, owner, lane, last_seq, key_release
),
unreadied as (delete from task_ready where task_id = any($1)),
unscheduled as (delete from task_schedule where task_id = any($1)),
unchecked as (delete from task_checkpoints where task_id = any($1)),
unkeyed as (
    delete from task_keys k using ended e where k.task_id = e.id and e.key_release in ('n', 'f')
),
told as (
    insert into task_events (task_id, seq, at, kind, data) select id, last_seq, $2, 'cancelled', $4 from ended
),
counted as (
    insert into task_counts (owner, lane, status, tasks, at)
    select owner, lane, 'pending', -count(*), null::timestamptz from ended group by owner, lane
    union all
    select owner, lane, 'cancelled', count(*), now() from ended group by owner, lane
)
select id, last_seq from ended

-- name: ask_to_cancel
-- Asks the workers of running tasks, which the caller holds, to stop them. An attempt that wants to run again meets
-- the reason in the row that it locks.
with asked as (
    update tasks set cancel_reason = $2, last_seq = last_seq + 1, version = version + 1
    where id = any($1::uuid[]) returning id, last_seq
),
flagged as (
    update task_leases set cancel_requested = true where task_id = any($1) returning task_id, attempt
),
told as (
    insert into task_events (task_id, seq, at, attempt, kind)
    select a.id, a.last_seq, $3, f.attempt, 'cancel_requested' from asked a join flagged f on f.task_id = a.id
)
select id, last_seq from asked

-- name: tell
-- Adds one event to a task that the caller has locked.
with grown as (update tasks set last_seq = last_seq + 1, version = version + 1 where id = $1 returning id, last_seq)
insert into task_events (task_id, seq, at, attempt, kind, data) select id, last_seq, $2, $3, $4, $5 from grown returning seq

-- name: take_keys
-- Gives tasks that the caller has locked their keys back, where nobody holds them.
insert into task_keys (owner, key, task_id)
select owner, key, id from tasks where id = any($1::uuid[]) and key is not null order by owner, key, id
on conflict do nothing

-- name: key_holders
-- Who holds the keys of these tasks.
select t.id, k.task_id as holder
from tasks t join task_keys k on (k.owner, k.key) = (t.owner, t.key) where t.id = any($1::uuid[])

-- name: requeue
-- Retries finished tasks, which the caller has locked, in the order in which they were made.
with before as materialized (
    select id, status, owner, lane, started_at, finished_at from tasks where id = any($1::uuid[])
),
again as (
    update tasks set status = 'pending', failures = 0, run_at = null, cancel_reason = null, last_seq = last_seq + 1, version = version + 1
    where id = any($1) returning id, lane, priority, attempt, last_seq
),
readied as (
    insert into task_ready (lane, priority, task_id, attempt) select lane, priority, id, attempt from again order by id
    returning task_id, lane, priority, position
),
kept as (
    -- The next end overwrites what the tasks say of their completed attempts.
    insert into task_attempts (task_id, attempt, worker_id, started_at, finished_at, outcome)
    select task_id, attempt, worker_id, started_at, finished_at, outcome from all_attempts
    where task_id = any($1) and outcome = 'completed'
    on conflict do nothing
),
told as (
    insert into task_events (task_id, seq, at, kind) select id, last_seq, $2, 'requeued' from again
),
unchecked as (
    delete from task_checkpoints where task_id = any($1)  -- of attempts that were cut off while they stored one
),
counted as (
    insert into task_counts (owner, lane, status, tasks, duration_ms)
    select owner, lane, 'pending', count(*), 0 from before group by owner, lane
    union all
    select owner, lane, status, -count(*),
           coalesce(-sum((extract(epoch from finished_at - started_at) * 1000)::bigint) filter (where status = 'completed'), 0)
    from before group by owner, lane, status
)
select a.id, a.last_seq, r.lane, r.priority, r.position from again a join readied r on r.task_id = a.id

-- name: reprioritize
-- Gives tasks, which the caller holds, another priority; ready ones go to the end of that one, in their old order.
-- Entries of the schedule are renewed: a promotion under way, which has read the old priority, leaves new ones alone.
with changed as (
    update tasks set priority = $2, last_seq = last_seq + 1, version = version + 1
    where id = any($1::uuid[]) returning id, last_seq
),
told as (
    insert into task_events (task_id, seq, at, kind, data) select id, last_seq, $3, 'reprioritized', $4 from changed
),
placed as materialized (
    select task_id, nextval('task_position') as position
    from (select task_id from task_ready where task_id = any($1) order by priority desc, position) o
),
renewed as (update task_schedule set run_at = run_at where task_id = any($1)),
moved as (
    update task_ready r set priority = $2, position = p.position from placed p where r.task_id = p.task_id
    returning r.task_id, r.lane, r.position
)
select c.id, c.last_seq, m.lane, m.position from changed c left join moved m on m.task_id = c.id

-- name: delete
-- Deletes tasks, which the caller holds, with everything that is their own; tells whose worker runs them.
with gone as (
    delete from tasks where id = any($1::uuid[]) returning id, owner, lane, status, started_at, finished_at
),
unreadied as (delete from task_ready where task_id = any($1)),
unscheduled as (delete from task_schedule where task_id = any($1)),
freed as (delete from task_leases where task_id = any($1) returning task_id, worker_id),
untold as (delete from task_events where task_id = any($1)),
unattempted as (delete from task_attempts where task_id = any($1)),
unchecked as (delete from task_checkpoints where task_id = any($1)),
unkeyed as (delete from task_keys where task_id = any($1)),
unkept as (delete from artifacts where task_id = any($1)),
counted as (
    insert into task_counts (owner, lane, status, tasks, duration_ms)
    select owner, lane, status, -count(*),
           coalesce(-sum((extract(epoch from finished_at - started_at) * 1000)::bigint) filter (where status = 'completed'), 0)
    from gone group by owner, lane, status
)
select g.id, f.worker_id from gone g left join freed f on f.task_id = g.id

-- name: claim_external
-- Gives a waiting task, which the caller holds, to an outside service.
with unreadied as (delete from task_ready where task_id = $1),
unscheduled as (delete from task_schedule where task_id = $1)
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

-- name: newest_id
-- The highest id of all tasks.
select id from tasks order by id desc limit 1

-- name: walk
-- Of the next $10 tasks above id $1: those that match, as they stand, and, in each row, up to where it looked.
-- One row without a task if none matches; no row at the end. The branch of the wanted status finds the ids; where they
-- come from an index of two columns, both are compared as one, so that no other index can give the order.
with near as materialized (
    (select id from tasks
     where ($5::text is null or $5 = 'completed') and ($3::text is null or $3 = '') and id > $1 and id < $2
     order by id limit $10)
    union all
    (select id from tasks
     where ($5 is null or $5 = 'completed') and owner <> '' and $3 <> '' and (owner, id) > ($3, $1) and (owner, id) < ($3, $2)
     order by owner, id limit $10)
    union all
    (select id from tasks
     where $5 in ('failed', 'cancelled') and unhappy is not null and (unhappy, id) > ($5, $1) and (unhappy, id) < ($5, $2)
     order by unhappy, id limit $10)
    union all
    (select task_id from task_ready where $5 = 'pending' and task_id > $1 and task_id < $2 order by task_id limit $10)
    union all
    (select task_id from task_schedule where $5 = 'pending' and task_id > $1 and task_id < $2 order by task_id limit $10)
    union all
    (select task_id from task_leases where $5 = 'processing' and task_id > $1 and task_id < $2 order by task_id limit $10)
    order by id limit $10
)
select e.last, m.id, m.status, m.attempt, m.last_seq, m.priority, m.cancel_reason, m.finished_at, m.owner, m.key,
       m.processor, m.worker_id
from (select id as last from near order by id desc limit 1) e
left join (
    select t.id, t.status, t.attempt, t.last_seq, t.priority, t.cancel_reason, t.finished_at, t.owner, t.key,
           n.processor, l.worker_id
    from near w
    join tasks t on t.id = w.id
    join lanes n on n.id = t.lane
    left join task_leases l on l.task_id = t.id
    where ($3 is null or t.owner = $3) and ($4::int is null or t.lane = $4)
      and ($5 is null or $5 = case when l.task_id is null then t.status else 'processing' end)
      and ($6::text is null or lower(t.source_name) like lower($6) or t.id >= $7 and t.id < $8)
      and ($9::timestamptz is null or t.finished_at < $9)
) m on true
order by m.id
