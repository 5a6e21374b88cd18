-- name: get
-- One task whole.
select c.id, processor, c.owner, c.priority, c.max_attempts, c.timeout_seconds, c.run_at, c.source_sha256, c.source_size,
       c.source_name, c.options, c.extra_data, c.session_id, c.attempt, c.failures, c.status, c.result, c.result_attempt,
       c.result_url, c.error, c.started_at, c.finished_at, c.created_at, c.last_seq, c.progress, c.stage,
       c.cancel_requested, c.version, t.key
from task_current c join tasks t on t.id = c.id where c.id = $1

-- name: newest
-- Tasks of any status, newest first.
select id, processor, owner, priority, max_attempts, timeout_seconds, run_at, source_sha256, source_size, source_name,
       extra_data, session_id, attempt, failures, status, result_url, error, started_at, finished_at, created_at, last_seq,
       progress, stage, cancel_requested, version
from task_current
where id < $1 and id >= $2 and ($3::text is null or owner = $3) and ($4::int is null or lane = $4)
  and ($5::text is null or stored_status = $5)
  and ($6::text is null or lower(source_name) like $6 or id::text like $6)
order by id desc limit $7 offset $8

-- name: oldest
-- Tasks of any or of a final status, oldest first.
select id, processor, owner, priority, max_attempts, timeout_seconds, run_at, source_sha256, source_size, source_name,
       extra_data, session_id, attempt, failures, status, result_url, error, started_at, finished_at, created_at, last_seq,
       progress, stage, cancel_requested, version
from task_current
where id < $1 and id >= $2 and ($3::text is null or owner = $3) and ($4::int is null or lane = $4)
  and ($5::text is null or stored_status = $5)
  and ($6::text is null or lower(source_name) like $6 or id::text like $6)
order by id limit $7 offset $8

-- name: newest_ended
-- Failed or cancelled tasks, newest first: from their own index.
select id, processor, owner, priority, max_attempts, timeout_seconds, run_at, source_sha256, source_size, source_name,
       extra_data, session_id, attempt, failures, status, result_url, error, started_at, finished_at, created_at, last_seq,
       progress, stage, cancel_requested, version
from task_current
where unhappy = $5 and unhappy is not null
  and id < $1 and id >= $2 and ($3::text is null or owner = $3) and ($4::int is null or lane = $4)
  and ($6::text is null or lower(source_name) like $6 or id::text like $6)
order by id desc limit $7 offset $8

-- name: newest_pending
-- Waiting tasks, newest first: from the small tables that hold them, of each as many as the page may need.
select c.id, c.processor, c.owner, c.priority, c.max_attempts, c.timeout_seconds, c.run_at, c.source_sha256, c.source_size,
       c.source_name, c.extra_data, c.session_id, c.attempt, c.failures, c.status, c.result_url, c.error, c.started_at,
       c.finished_at, c.created_at, c.last_seq, c.progress, c.stage, c.cancel_requested, c.version
from (
    (select r.task_id from task_ready r join tasks t on t.id = r.task_id
     where r.task_id < $1 and r.task_id >= $2 and ($3::text is null or t.owner = $3) and ($4::int is null or t.lane = $4)
       and ($6::text is null or lower(t.source_name) like $6 or t.id::text like $6)
     order by r.task_id desc limit $7::bigint + $8::bigint)
    union all
    (select s.task_id from task_schedule s join tasks t on t.id = s.task_id
     where s.task_id < $1 and s.task_id >= $2 and ($3::text is null or t.owner = $3) and ($4::int is null or t.lane = $4)
       and ($6::text is null or lower(t.source_name) like $6 or t.id::text like $6)
     order by s.task_id desc limit $7::bigint + $8::bigint)
) w
join task_current c on c.id = w.task_id
where $5::text is not null
order by w.task_id desc limit $7 offset $8

-- name: newest_processing
-- Running tasks, newest first: from the leases.
select c.id, c.processor, c.owner, c.priority, c.max_attempts, c.timeout_seconds, c.run_at, c.source_sha256, c.source_size,
       c.source_name, c.extra_data, c.session_id, c.attempt, c.failures, c.status, c.result_url, c.error, c.started_at,
       c.finished_at, c.created_at, c.last_seq, c.progress, c.stage, c.cancel_requested, c.version
from task_leases l
join task_current c on c.id = l.task_id
where l.task_id < $1 and l.task_id >= $2 and ($3::text is null or c.owner = $3) and ($4::int is null or c.lane = $4)
  and $5::text is not null and ($6::text is null or lower(c.source_name) like $6 or c.id::text like $6)
order by l.task_id desc limit $7 offset $8

-- name: matching_ids
-- Ids of at most $7 tasks that match, for counts and for sorts that have no index.
select id from task_current
where id < $1 and id >= $2 and ($3::text is null or owner = $3) and ($4::int is null or lane = $4)
  and ($5::text is null or status = $5)
  and ($6::text is null or lower(source_name) like $6 or id::text like $6)
order by id desc limit $7

-- name: sorted
-- Summaries of the given tasks by file name, status or priority.
select id, processor, owner, priority, max_attempts, timeout_seconds, run_at, source_sha256, source_size, source_name,
       extra_data, session_id, attempt, failures, status, result_url, error, started_at, finished_at, created_at, last_seq,
       progress, stage, cancel_requested, version
from task_current where id = any($1::uuid[])
order by
    case when $2 = 'file_name' and not $3 then lower(source_name) end asc nulls last,
    case when $2 = 'file_name' and $3 then lower(source_name) end desc nulls last,
    case when $2 = 'status' and not $3 then status end asc,
    case when $2 = 'status' and $3 then status end desc,
    case when $2 = 'priority' and not $3 then priority end asc,
    case when $2 = 'priority' and $3 then priority end desc,
    case when $2 = 'created_at' and not $3 then id end asc,
    id desc
limit $4 offset $5

-- name: totals
-- Exact counts by stored status, from the counters.
select status, sum(tasks)::bigint as tasks, sum(duration_ms)::bigint as duration_ms from task_counts
where ($1::text is null or owner = $1) and ($2::int is null or lane = $2) group by status

-- name: running_total
-- How many tasks run now.
select count(*) from task_leases l
where ($2::int is null or l.lane = $2)
  and ($1::text is null or exists (select 1 from tasks t where t.id = l.task_id and t.owner = $1))

-- name: queue_status
-- Every lane with its counts; the age is that of the task that would be claimed next.
select n.processor, n.paused,
       coalesce((select sum(tasks) from task_counts c where c.lane = n.id and c.status = 'pending'), 0)::bigint as waiting,
       (select count(*) from task_schedule s join tasks t on t.id = s.task_id where t.lane = n.id) as scheduled,
       (select count(*) from task_leases l where l.lane = n.id) as processing,
       (select extract(epoch from now() - t.created_at)::float8
        from (select task_id from task_ready r where r.lane = n.id order by priority desc, position limit 1) h
        join tasks t on t.id = h.task_id) as oldest_seconds
from lanes n order by n.processor

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
