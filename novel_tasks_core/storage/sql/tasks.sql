-- name: get
-- Tasks whole, those of these ids that there are.
select c.* from unnest($1::uuid[]) i (id)
cross join lateral (
    select c.id, processor, c.owner, c.priority, c.max_attempts, c.timeout_seconds, c.run_at, c.source_sha256, c.source_size,
           c.source_name, c.options, c.extra_data, c.session_id, c.attempt, c.failures, c.status, c.result, c.result_attempt,
           c.result_url, c.error, c.started_at, c.finished_at, c.created_at, c.last_seq, c.progress, c.stage,
           c.cancel_requested, c.version, t.key
    from task_current c join tasks t on t.id = c.id where c.id = i.id limit 1
) c

-- name: owner
-- Whose a task is.
select owner from tasks where id = $1

-- name: attempts
-- The finished attempts of a task.
select task_id, attempt, worker_id, started_at, finished_at, outcome, error from all_attempts where task_id = $1 order by attempt

-- name: artifacts
-- The artifacts of the result that is shown.
select a.task_id, a.attempt, a.name, a.content_type, a.size, a.sha256
from tasks t join artifacts a on a.task_id = t.id and a.attempt = t.result_attempt
where t.id = $1 order by a.name

-- name: location_faults
-- The invariant: tasks that are in no location or in more than one. No rows, ever.
select t.id, t.status, r.task_id is not null as ready, s.task_id is not null as scheduled, l.task_id is not null as leased
from tasks t
left join task_ready r on r.task_id = t.id
left join task_schedule s on s.task_id = t.id
left join task_leases l on l.task_id = t.id
where (r.task_id is not null)::int + (s.task_id is not null)::int + (l.task_id is not null)::int
      + (t.status <> 'pending')::int <> 1

-- name: count_faults
-- The other invariant: counters that differ from what they count. No rows, ever.
select coalesce(c.owner, t.owner) as owner, coalesce(c.lane, t.lane) as lane, coalesce(c.status, t.status) as status,
       coalesce(c.tasks, 0) as counted, coalesce(t.tasks, 0) as present,
       coalesce(c.duration_ms, 0) as counted_ms, coalesce(t.duration_ms, 0) as present_ms
from (select owner, lane, status, sum(tasks) as tasks, sum(duration_ms) as duration_ms from task_counts group by 1, 2, 3) c
full join (
    select owner, lane, status, count(*) as tasks,
           sum(case status when 'completed' then (extract(epoch from finished_at - started_at) * 1000)::bigint else 0 end) as duration_ms
    from tasks group by 1, 2, 3
) t on (t.owner, t.lane, t.status) = (c.owner, c.lane, c.status)
where (coalesce(c.tasks, 0), coalesce(c.duration_ms, 0)) <> (coalesce(t.tasks, 0), coalesce(t.duration_ms, 0))
