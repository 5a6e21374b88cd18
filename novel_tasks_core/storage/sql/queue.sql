-- name: lanes
-- All lanes.
select id, processor, paused from lanes

-- name: make_lane
-- Finds or makes the lane of a processor; no row when somebody else makes it at the same moment.
with made as (insert into lanes (processor) values ($1) on conflict (processor) do nothing returning id)
select id from made union all select id from lanes where processor = $1 limit 1

-- name: pause_lane
-- Pauses or resumes a lane.
update lanes set paused = $2 where processor = $1 returning id

-- name: ready_heads
-- The (lane, priority) pairs that have ready tasks, each with its lowest position: a walk along the index.
with recursive heads as (
    select l.lane, h.priority
    from unnest($1::int[]) as l(lane)
    cross join lateral (
        select priority from task_ready where lane = l.lane order by priority desc limit 1
    ) h
    union all
    select p.lane, n.priority
    from heads p
    cross join lateral (
        select priority from task_ready where lane = p.lane and priority < p.priority order by priority desc limit 1
    ) n
)
select h.lane, h.priority, f.position
from heads h
cross join lateral (
    select position from task_ready where lane = h.lane and priority = h.priority order by position limit 1
) f

-- name: claim
-- Takes up to $5 ready tasks of the given (lane, priority, low position, default timeout, at most), first pair first.
-- No join here or below leaves its order to the planner: with statistics of a used-up table it would read whole indexes.
with picked as materialized (
    select r.spot
    from unnest($1::int[], $2::smallint[], $3::bigint[], $7::int[]) with ordinality as w(lane, priority, low, most, place)
    join lanes n on n.id = w.lane and not n.paused
    cross join lateral (
        select ctid as spot, position from task_ready
        where lane = w.lane and priority = w.priority and position >= w.low
        order by position limit w.most for update skip locked
    ) r
    order by w.place, r.position
    limit $5
),
taken as (
    -- By ctid of the rows locked above: a join that was planned while the table was empty would read all of it.
    delete from task_ready where ctid = any(array(select spot from picked))
    returning task_id, lane, priority, position, attempt + 1 as attempt
),
joined as materialized (
    select k.task_id, k.lane, k.priority, k.position, k.attempt, t.failures, t.max_attempts,
           coalesce(t.timeout_seconds, ($4::float8[])[array_position($1::int[], k.lane)]) as timeout_seconds,
           t.source_sha256, t.source_size, t.source_name, t.options, t.extra_data, t.last_seq
    from taken k cross join lateral (select * from tasks where id = k.task_id limit 1) t
),
leased as (
    insert into task_leases (task_id, worker_id, attempt, lane, position, started_at, deadline)
    select task_id, $6, attempt, lane, position, now(), now() + timeout_seconds * interval '1 second' from joined
)
select j.lane, j.priority, j.position, j.task_id, j.attempt, j.failures, j.max_attempts, j.timeout_seconds,
       now() as started_at, j.last_seq, j.options, j.extra_data, c.value as checkpoint,
       j.source_sha256, j.source_size, j.source_name
from joined j
left join lateral (select value from task_checkpoints where task_id = j.task_id and j.attempt > 1 limit 1) c on true
order by j.priority desc, j.position

-- name: leases
-- What a worker holds.
select task_id, attempt from task_leases where worker_id = $1

-- name: finish
-- Ends attempts for good, if (task, worker, attempt) still hold: rows of those that did, with their last seq.
-- Of each: id, attempt, result, time. Most are completed, and their start is told here too; $6.. are the exceptions by place:
-- starts that were told before ($6), other statuses with their error, event data and outcome ($7-$11), and log entries ($12-$16).
-- tasks.attempt is the fence under concurrency: whoever ended an attempt raised it, in the row that this locks first.
-- A completed attempt needs no record of its own: the task says it all, see the view all_attempts.
with done as materialized (
    select g.task_id, g.attempt, g.result, g.finished_at, g.place, o.place is null as starts,
           coalesce(s.status, 'completed') as status, s.error, s.told, coalesce(s.outcome, 'completed') as outcome,
           1 + (o.place is null)::int + coalesce(v.entries, 0) as events
    from unnest($2::uuid[], $3::int[], $4::json[], $5::timestamptz[]) with ordinality as g(task_id, attempt, result, finished_at, place)
    left join unnest($6::int[]) as o(place) on o.place = g.place
    left join unnest($7::int[], $8::text[], $9::json[], $10::json[], $11::text[]) as s(place, status, error, told, outcome)
        on s.place = g.place
    left join (select place, max(nth) as entries from unnest($12::int[], $13::int[]) as v(place, nth) group by place) v
        on v.place = g.place
),
ended as (
    update tasks t
    set status = d.status, attempt = d.attempt, failures = t.failures + case d.status when 'failed' then 1 else 0 end,
        result = case d.status when 'completed' then d.result else t.result end,
        result_attempt = case d.status when 'completed' then d.attempt else t.result_attempt end,
        error = d.error,
        finished_worker = $17, started_at = l.started_at, finished_at = d.finished_at,
        last_seq = t.last_seq + d.events, version = t.version + 1
    from done d
    cross join lateral (select * from task_leases where task_id = d.task_id limit 1) l
    where t.id = d.task_id and t.attempt = d.attempt - 1 and l.worker_id = $1 and l.attempt = d.attempt
    returning t.id, t.lane, t.owner, t.status, t.attempt, t.started_at, t.finished_at, t.error, t.last_seq,
              t.last_seq - d.events as base, t.key_release, d.place, d.starts, d.told, d.outcome,
              -- Retried by hand or handed back: since when it was due this time is not known.
              case when t.run_at is not null then t.run_at when t.attempt = 1 then t.created_at end as due_at
),
freed as (
    delete from task_leases where task_id = any(array(select id from ended))
),
attempted as (
    insert into task_attempts (task_id, attempt, worker_id, started_at, finished_at, outcome, error)
    select id, attempt, $1, started_at, finished_at, outcome, error from ended where outcome <> 'completed'
),
told as (
    insert into task_events (task_id, seq, at, attempt, kind, data)
    select id, base + 1, started_at, attempt, 'started', $18::json from ended where starts
    union all
    select e.id, e.base + e.starts::int + v.nth, v.at, e.attempt, v.kind, v.data
    from unnest($12::int[], $13::int[], $14::timestamptz[], $15::text[], $16::json[]) as v(place, nth, at, kind, data)
    join ended e on e.place = v.place
    union all
    select id, last_seq, finished_at, attempt, status, told from ended
),
kept as (
    insert into artifacts (task_id, attempt, name, content_type, size, sha256)
    select e.id, e.attempt, a.name, a.content_type, a.size, a.sha256
    from unnest($19::int[], $20::text[], $21::text[], $22::bigint[], $23::bytea[]) as a(place, name, content_type, size, sha256)
    join ended e on e.place = a.place
),
counted as (
    insert into task_counts (owner, lane, status, tasks, duration_ms, at, times)
    select owner, lane, 'pending', -count(*), 0, null::timestamptz, null::bytea from ended group by owner, lane
    union all
    select owner, lane, status, count(*), coalesce(sum(run_ms) filter (where status = 'completed'), 0), now(),
           string_agg(int4send(wait_ms) || int4send(greatest(least(run_ms, 2147483647), 0)::int), '') filter (where outcome in ('completed', 'failed'))
    from (
        select owner, lane, status, outcome, (extract(epoch from finished_at - started_at) * 1000)::bigint as run_ms,
               case when due_at is null then -1
                    else greatest(least(extract(epoch from started_at - due_at) * 1000, 2147483647), 0)::int end as wait_ms
        from ended
    ) e
    group by owner, lane, status
),
unkeyed as (
    delete from task_keys where task_id = any(array(
        select id from ended where key_release = 'n' or key_release = 'f' and status <> 'completed'
    ))
),
unchecked as (
    delete from task_checkpoints where task_id = any(array(select id from ended))
)
select id, last_seq from ended

-- name: postpone
-- Ends attempts that run again: at run_at, or at once in their old place where run_at is null. Rows as `finish`.
-- Those that are to be cancelled are left out.
with done as materialized (
    select * from unnest($2::uuid[], $3::int[], $4::text[], $5::int[], $6::timestamptz[], $7::json[], $8::timestamptz[], $9::int[])
        as d(task_id, attempt, outcome, failed, run_at, error, finished_at, events)
),
ended as (
    update tasks t
    set attempt = d.attempt, failures = t.failures + d.failed, run_at = d.run_at, error = coalesce(d.error, t.error),
        finished_worker = $10, last_seq = t.last_seq + d.events, version = t.version + 1
    from done d
    cross join lateral (select * from task_leases where task_id = d.task_id limit 1) l
    where t.id = d.task_id and t.attempt = d.attempt - 1 and l.worker_id = $1 and l.attempt = d.attempt
      and t.cancel_reason is null
    returning t.id, t.lane, t.priority, t.attempt, t.run_at, t.last_seq, t.last_seq - d.events as base,
              l.position, l.started_at, d.finished_at, d.outcome, d.error
),
freed as (
    delete from task_leases where task_id = any(array(select id from ended))
),
attempted as (
    insert into task_attempts (task_id, attempt, worker_id, started_at, finished_at, outcome, error)
    select id, attempt, $1, started_at, finished_at, outcome, error from ended
),
told as (
    insert into task_events (task_id, seq, at, attempt, kind, data)
    select e.id, e.base + v.nth, v.at, e.attempt, v.kind, v.data
    from unnest($11::uuid[], $12::int[], $13::timestamptz[], $14::text[], $15::json[]) as v(task_id, nth, at, kind, data)
    join ended e on e.id = v.task_id
),
readied as (
    insert into task_ready (lane, priority, position, task_id, attempt)
    select lane, priority, position, id, attempt from ended where run_at is null
),
scheduled as (
    insert into task_schedule (run_at, task_id) select run_at, id from ended where run_at is not null
)
select id, last_seq, lane, priority, case when run_at is null then position end as position from ended

-- name: asked_to_cancel
-- Of attempts that this worker holds: those whose task is to be cancelled, with the reason.
select t.id, t.cancel_reason from unnest($2::uuid[], $3::int[]) as d(task_id, attempt)
join task_leases l on l.task_id = d.task_id and l.attempt = d.attempt and l.worker_id = $1
join tasks t on t.id = d.task_id and t.cancel_reason is not null

-- name: record
-- Stores events of running attempts that still hold their lease; rows of those that do, with their last seq.
with given as materialized (
    select * from unnest($2::uuid[], $3::int[], $4::int[]) as g(task_id, attempt, events)
),
grown as (
    update tasks t set last_seq = t.last_seq + g.events, version = t.version + 1
    from given g
    cross join lateral (select * from task_leases where task_id = g.task_id limit 1) l
    where t.id = g.task_id and t.attempt = g.attempt - 1 and l.worker_id = $1 and l.attempt = g.attempt
    returning t.id, t.last_seq, t.last_seq - g.events as base, g.attempt
),
told as (
    insert into task_events (task_id, seq, at, attempt, kind, data)
    select e.id, e.base + v.nth, v.at, e.attempt, v.kind, v.data
    from unnest($5::uuid[], $6::int[], $7::timestamptz[], $8::text[], $9::json[]) as v(task_id, nth, at, kind, data)
    join grown e on e.id = v.task_id
)
select id, last_seq from grown

-- name: recorded
-- How much of what running attempts said is stored, and up to which seq.
select e.task_id, count(*) as events, max(e.seq) as last_seq
from unnest($1::uuid[], $2::int[]) as d(task_id, attempt)
join task_events e on e.task_id = d.task_id and e.attempt = d.attempt and e.kind in ('started', 'log')
group by e.task_id

-- name: progress
-- Writes the latest progress of running attempts into their leases. "Is not distinct" has them found by their tasks:
-- no index begins with that.
update task_leases set progress = ($4::real[])[array_position($2::uuid[], task_id)],
    stage = ($5::text[])[array_position($2::uuid[], task_id)], tick = tick + 1
where task_id = any($2) and worker_id is not distinct from $1 and attempt = ($3::int[])[array_position($2::uuid[], task_id)]

-- name: checkpoint
-- Stores a checkpoint of an attempt that still holds its lease; no row otherwise. The lock keeps a rescuer out.
with held as (
    select task_id from task_leases where task_id = $1 and worker_id = $2 and attempt = $3 for share
)
insert into task_checkpoints (task_id, attempt, value) select task_id, $3, $4 from held
on conflict (task_id) do update set attempt = excluded.attempt, value = excluded.value
returning task_id

-- name: finished_by
-- Of attempts whose end was sent but not confirmed: those that this worker did end, with the last seq. The record of
-- the attempt tells it of those that somebody has run again since.
select t.id, t.last_seq from unnest($2::uuid[], $3::int[]) as d(task_id, attempt)
cross join lateral (select * from tasks where id = d.task_id limit 1) t
left join lateral (
    select worker_id, outcome from task_attempts where task_id = d.task_id and attempt = d.attempt limit 1
) a on true
where t.attempt = d.attempt and t.finished_worker = $1
   or t.attempt > d.attempt and a.worker_id = $1 and a.outcome <> 'lost'

-- name: promote
-- Moves due tasks from the schedule into the ready table.
with gone as (
    -- By ctid of the rows locked here: a join would be planned for a tenth of the whole schedule.
    delete from task_schedule where ctid = any(array(
        select ctid from task_schedule where run_at <= now() order by run_at limit $1 for update skip locked
    ))
    returning task_id
),
readied as (
    insert into task_ready (lane, priority, task_id, attempt)
    select t.lane, t.priority, t.id, t.attempt
    from gone g cross join lateral (select * from tasks where id = g.task_id limit 1) t
    returning lane, priority, position
)
select lane, priority, min(position) as position, count(*) as tasks from readied group by lane, priority
