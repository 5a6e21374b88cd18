-- Lists and counts. The statements that look for ids take the same parameters: ids from $1 up to $2, an owner, a lane, a
-- stored status, a pattern for names, ids from $7 up to $8 that match the query as well as a name does, and how many
-- to return. Those that walk in the order of the ids look at no more than $10 of them: they may end too early.

-- name: newest
-- Of all tasks, newest first.
select w.id from (
    select id, owner, lane, status, source_name from tasks where id >= $1 and id < $2 order by id desc limit $10
) w
where ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4) and ($5::text is null or w.status = $5)
  and ($6::text is null or lower(w.source_name) like lower($6) or w.id >= $7 and w.id < $8)
  and ($5::text is distinct from 'pending' or w.id not in (select task_id from task_leases))
order by w.id desc limit $9

-- name: newest_owned
-- Of an owner's tasks, newest first.
select w.id from (
    select id, owner, lane, status, source_name from tasks
    where owner = $3 and owner <> '' and id >= $1 and id < $2 order by id desc limit $10
) w
where ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4) and ($5::text is null or w.status = $5)
  and ($6::text is null or lower(w.source_name) like lower($6) or w.id >= $7 and w.id < $8)
  and ($5::text is distinct from 'pending' or w.id not in (select task_id from task_leases))
order by w.id desc limit $9

-- name: newest_ended
-- Of failed or cancelled tasks, newest first: from their own index.
select w.id from (
    select id, owner, lane, status, source_name from tasks
    where unhappy = $5 and unhappy is not null and id >= $1 and id < $2 order by id desc limit $10
) w
where ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4) and ($5::text is null or w.status = $5)
  and ($6::text is null or lower(w.source_name) like lower($6) or w.id >= $7 and w.id < $8)
order by w.id desc limit $9

-- name: newest_pending
-- Of waiting tasks, newest first: from the small tables that hold them.
select p.task_id as id from (
    (select p.task_id from (
         select task_id, lane from task_ready where task_id >= $1 and task_id < $2 order by task_id desc limit $10
     ) p cross join lateral (select owner, lane, source_name from tasks where id = p.task_id limit 1) w
     where ($3::text is null or w.owner = $3) and ($4::int is null or p.lane = $4)
       and ($6::text is null or lower(w.source_name) like lower($6) or p.task_id >= $7 and p.task_id < $8)
     order by p.task_id desc limit $9)
    union all
    (select p.task_id from (
         select task_id from task_schedule where task_id >= $1 and task_id < $2 order by task_id desc limit $10
     ) p cross join lateral (select owner, lane, source_name from tasks where id = p.task_id limit 1) w
     where ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4)
       and ($6::text is null or lower(w.source_name) like lower($6) or p.task_id >= $7 and p.task_id < $8)
     order by p.task_id desc limit $9)
) p
where $5::text is not null
order by p.task_id desc limit $9

-- name: newest_processing
-- Of running tasks, newest first: from the leases.
select p.task_id as id from (
    select task_id, lane from task_leases where task_id >= $1 and task_id < $2 order by task_id desc limit $10
) p cross join lateral (select owner, lane, source_name from tasks where id = p.task_id limit 1) w
where ($3::text is null or w.owner = $3) and ($4::int is null or p.lane = $4)
  and ($6::text is null or lower(w.source_name) like lower($6) or p.task_id >= $7 and p.task_id < $8) and $5::text is not null
order by p.task_id desc limit $9

-- name: oldest
-- Of all tasks, oldest first.
select w.id from (
    select id, owner, lane, status, source_name from tasks where id >= $1 and id < $2 order by id limit $10
) w
where ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4) and ($5::text is null or w.status = $5)
  and ($6::text is null or lower(w.source_name) like lower($6) or w.id >= $7 and w.id < $8)
  and ($5::text is distinct from 'pending' or w.id not in (select task_id from task_leases))
order by w.id limit $9

-- name: oldest_owned
-- Of an owner's tasks, oldest first.
select w.id from (
    select id, owner, lane, status, source_name from tasks
    where owner = $3 and owner <> '' and id >= $1 and id < $2 order by id limit $10
) w
where ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4) and ($5::text is null or w.status = $5)
  and ($6::text is null or lower(w.source_name) like lower($6) or w.id >= $7 and w.id < $8)
  and ($5::text is distinct from 'pending' or w.id not in (select task_id from task_leases))
order by w.id limit $9

-- name: oldest_ended
-- Of failed or cancelled tasks, oldest first: from their own index.
select w.id from (
    select id, owner, lane, status, source_name from tasks
    where unhappy = $5 and unhappy is not null and id >= $1 and id < $2 order by id limit $10
) w
where ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4) and ($5::text is null or w.status = $5)
  and ($6::text is null or lower(w.source_name) like lower($6) or w.id >= $7 and w.id < $8)
order by w.id limit $9

-- name: oldest_pending
-- Of waiting tasks, oldest first: from the small tables that hold them.
select p.task_id as id from (
    (select p.task_id from (
         select task_id, lane from task_ready where task_id >= $1 and task_id < $2 order by task_id limit $10
     ) p cross join lateral (select owner, lane, source_name from tasks where id = p.task_id limit 1) w
     where ($3::text is null or w.owner = $3) and ($4::int is null or p.lane = $4)
       and ($6::text is null or lower(w.source_name) like lower($6) or p.task_id >= $7 and p.task_id < $8)
     order by p.task_id limit $9)
    union all
    (select p.task_id from (
         select task_id from task_schedule where task_id >= $1 and task_id < $2 order by task_id limit $10
     ) p cross join lateral (select owner, lane, source_name from tasks where id = p.task_id limit 1) w
     where ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4)
       and ($6::text is null or lower(w.source_name) like lower($6) or p.task_id >= $7 and p.task_id < $8)
     order by p.task_id limit $9)
) p
where $5::text is not null
order by p.task_id limit $9

-- name: oldest_processing
-- Of running tasks, oldest first: from the leases.
select p.task_id as id from (
    select task_id, lane from task_leases where task_id >= $1 and task_id < $2 order by task_id limit $10
) p cross join lateral (select owner, lane, source_name from tasks where id = p.task_id limit 1) w
where ($3::text is null or w.owner = $3) and ($4::int is null or p.lane = $4)
  and ($6::text is null or lower(w.source_name) like lower($6) or p.task_id >= $7 and p.task_id < $8) and $5::text is not null
order by p.task_id limit $9

-- name: all_matching
-- Of all tasks, by whatever way suits few of them: newest first if $10, else oldest first.
with found as materialized (
    select w.id from tasks w
    where w.id >= $1 and w.id < $2
      and ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4) and ($5::text is null or w.status = $5)
      and ($5::text is null or $5 not in ('failed', 'cancelled') or w.unhappy = $5)  -- their own index, where that suits
      and ($6::text is null or lower(w.source_name) like lower($6) or w.id >= $7 and w.id < $8)
      and ($5::text is distinct from 'pending' or w.id not in (select task_id from task_leases))
)
select id from found order by case when $10 then id end desc, id limit $9

-- name: pending_matching
-- Of waiting tasks, by whatever way suits few of them: newest first if $10, else oldest first.
with found as materialized (
    select p.task_id as id from task_ready p left join tasks w on w.id = p.task_id
    where p.task_id >= $1 and p.task_id < $2
      and ($3::text is null or w.owner = $3) and ($4::int is null or p.lane = $4)
      and ($6::text is null or lower(w.source_name) like lower($6) or p.task_id >= $7 and p.task_id < $8)
    union all
    select p.task_id from task_schedule p left join tasks w on w.id = p.task_id
    where p.task_id >= $1 and p.task_id < $2
      and ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4)
      and ($6::text is null or lower(w.source_name) like lower($6) or p.task_id >= $7 and p.task_id < $8)
)
select id from found where $5::text is not null order by case when $10 then id end desc, id limit $9

-- name: named
-- Of up to $9 tasks whose name or id begins so: how many, which match if fewer than $9, and if any has the name.
select count(*) as named, case when count(*) < $9 then array_agg(w.id) filter (
    where ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4) and ($5::text is null or w.status = $5)
      and w.id >= $1 and w.id < $2
      and ($5::text is distinct from 'pending' or w.id not in (select task_id from task_leases))
) end as ids,
       exists (select 1 from tasks where lower(source_name) like lower($6)) as by_name
from (
    (select id, owner, lane, status from tasks where lower(source_name) like lower($6)
     order by lower(source_name) using ~<~ limit $9)
    union
    (select id, owner, lane, status from tasks where id >= $7 and id < $8 order by id limit $9)
) w

-- name: matching
-- How many tasks match, counted up to $9.
select count(*) from (
    select 1 from tasks w
    where w.id >= $1 and w.id < $2
      and ($3::text is null or w.owner = $3) and ($4::int is null or w.lane = $4) and ($5::text is null or w.status = $5)
      and ($5::text is null or $5 not in ('failed', 'cancelled') or w.unhappy = $5)
      and ($6::text is null or lower(w.source_name) like lower($6) or w.id >= $7 and w.id < $8)
      and ($5::text is distinct from 'pending' or w.id not in (select task_id from task_leases))
    limit $9
) found

-- name: cuts
-- Ids that cut the tasks into parts of about the same number, as of the last ANALYZE; no row before the first.
select histogram_bounds::text::uuid[] as bounds from pg_stats
where schemaname = current_schema() and tablename = 'tasks' and attname = 'id' and histogram_bounds is not null

-- name: by_file_name
-- Of the given tasks a page by file name, newest first where it is the same, those without one last.
select id from tasks where id = any($1::uuid[])
order by case when not $2 then lower(source_name) end asc nulls last, case when $2 then lower(source_name) end desc nulls last,
         id desc
limit $3 offset $4

-- name: by_status
-- Of the given tasks a page by status, newest first where it is the same.
select id from task_current where id = any($1::uuid[])
order by case when not $2 then status end asc, case when $2 then status end desc, id desc limit $3 offset $4

-- name: by_priority
-- Of the given tasks a page by priority, newest first where it is the same.
select id from tasks where id = any($1::uuid[])
order by case when not $2 then priority end asc, case when $2 then priority end desc, id desc limit $3 offset $4

-- name: summaries
-- Tasks as lists show them.
select id, processor, owner, priority, max_attempts, timeout_seconds, run_at, source_sha256, source_size, source_name,
       extra_data, session_id, attempt, failures, status, result_url, error, started_at, finished_at, created_at, last_seq,
       progress, stage, cancel_requested, version
from task_current where id = any($1::uuid[])

-- name: newest_page
-- A page of all tasks before the id $1, newest first, each beside the number of all; none is a row of nulls beside it.
select t.total, c.* from (select coalesce(sum(tasks), 0)::bigint as total from task_counts) t
left join lateral (
    select c.* from (
        select id from tasks where id < $1 order by id desc limit $2 offset $3
    ) p cross join lateral (
        select id, processor, owner, priority, max_attempts, timeout_seconds, run_at, source_sha256, source_size, source_name,
               extra_data, session_id, attempt, failures, status, result_url, error, started_at, finished_at, created_at,
               last_seq, progress, stage, cancel_requested, version
        from task_current where id = p.id limit 1
    ) c
) c on true
order by c.id desc

-- name: newest_owned_page
-- The same of an owner's tasks; the owner must have a name. Compared as pairs, so that only one index gives the order.
select t.total, c.* from (select coalesce(sum(tasks), 0)::bigint as total from task_counts where owner = $4) t
left join lateral (
    select c.* from (
        select id from tasks
        where (owner, id) < ($4, $1) and (owner, id) >= ($4, '00000000-0000-0000-0000-000000000000') and owner <> ''
        order by owner desc, id desc limit $2 offset $3
    ) p cross join lateral (
        select id, processor, owner, priority, max_attempts, timeout_seconds, run_at, source_sha256, source_size, source_name,
               extra_data, session_id, attempt, failures, status, result_url, error, started_at, finished_at, created_at,
               last_seq, progress, stage, cancel_requested, version
        from task_current where id = p.id limit 1
    ) c
) c on true
order by c.id desc

-- name: lane
-- The lane of a processor.
select id from lanes where processor = $1

-- name: limit_statements
-- Ends every further statement of this transaction after so many milliseconds.
select set_config('statement_timeout', $1, true)

-- name: insist_on_order
-- Has further statements of this transaction read an index in its order ('off': no sort, no bitmap), or not ('on').
select set_config('enable_bitmapscan', $1, true), set_config('enable_sort', $1, true)

-- name: insist_on_ranges
-- Has further statements of this transaction collect pages before they read them ('off': no order), or not ('on').
select set_config('enable_indexscan', $1, true), set_config('enable_seqscan', $1, true)

-- name: totals
-- Exact counts of an owner's tasks, or of all, by lane and stored status, from the counters; and how many of them run now.
select lane, status, sum(tasks)::bigint as tasks, sum(duration_ms)::bigint as duration_ms
from task_counts where ($1::text is null or owner = $1) group by lane, status
union all
select l.lane, 'processing', count(*), 0
from task_leases l left join tasks t on t.id = l.task_id where ($1::text is null or t.owner = $1) group by l.lane

-- name: queue_status
-- Every lane with its counts, and how old the oldest is of those that are next in each priority. What is scheduled is counted
-- up to $1; beyond, it is what neither waits ready nor runs, if that can be counted so far, else estimated from a sample.
with sample as materialized (select task_id from task_schedule order by run_at, task_id limit $1::bigint + 1),
sampled as (
    select (select lane from tasks t where t.id = s.task_id) as lane, count(*) as tasks from sample s group by 1
),
counted as (select lane, sum(tasks) as tasks from task_counts where status = 'pending' group by lane),
running as (select lane, count(*) as tasks from task_leases group by lane),
known as (
    select n.id, n.processor, n.paused, coalesce(s.tasks, 0) as sampled, coalesce(r.tasks, 0) as running,
           greatest(coalesce(c.tasks, 0) - coalesce(r.tasks, 0), 0) as waiting, (select count(*) > $1 from sample) as many
    from lanes n left join sampled s on s.lane = n.id left join counted c on c.lane = n.id left join running r on r.lane = n.id
),
divided as materialized (
    select k.*,
           case when not many then least(sampled, waiting) else (
               select case when f.ready <= $1 then waiting - f.ready
                           else least(waiting - f.ready, (sampled / ($1 + 1.0) * (
                               select greatest(reltuples, $1) from pg_class where oid = 'task_schedule'::regclass))::bigint) end
               from (select count(*) as ready from (
                   select 1 from task_ready where lane = k.id order by priority, position limit $1 + 1) x) f
           ) end as scheduled
    from known k
)
select processor, paused, (waiting - scheduled)::bigint as ready, scheduled::bigint, running as processing, (
    with recursive priorities as (
        (select priority from task_ready where lane = d.id order by priority desc limit 1)
        union all
        select h.priority from priorities p
        cross join lateral (
            select priority from task_ready where lane = d.id and priority < p.priority order by priority desc limit 1
        ) h
    )
    select extract(epoch from now() - min(t.created_at))::float8
    from priorities p
    cross join lateral (
        select task_id from task_ready where lane = d.id and priority = p.priority order by position limit 1
    ) f
    join tasks t on t.id = f.task_id
) as oldest_seconds
from divided d order by processor
