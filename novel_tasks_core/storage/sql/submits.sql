-- name: submit
-- Stores tasks with their keys, first log entries and counts in one go. A task whose key is taken is left out.
-- A column without any value comes empty, one with the same value in all rows as that one value: unnest fills up with null.
-- Where $18 is true, the keys have been given to the tasks already.
-- Rows: one per (lane, priority) with its lowest new position, then one without lane that lists the ids of the keys taken now.
with given as materialized (
    select g.id, coalesce(g.lane, ($2::int[])[1]) as lane, coalesce(g.owner, ($3::text[])[1]) as owner,
           coalesce(g.priority, ($4::smallint[])[1]) as priority, g.max_attempts, g.timeout_seconds, g.run_at, g.source_sha256,
           g.source_size, g.source_name, g.options, g.extra_data, g.session_id, g.key, g.key_release, g.note
    from unnest(
        $1::uuid[], $2::int[], $3::text[], $4::smallint[], $5::smallint[], $6::float8[], $7::timestamptz[],
        $8::bytea[], $9::bigint[], $10::text[], $11::json[], $12::json[], $13::text[], $14::text[], $15::text[], $16::json[]
    ) as g(id, lane, owner, priority, max_attempts, timeout_seconds, run_at, source_sha256, source_size, source_name,
           options, extra_data, session_id, key, key_release, note)
),
keyed as (
    -- In the order of the keys, so that two statements cannot wait for each other; of equal ones the first wins.
    insert into task_keys (owner, key, task_id)
    select owner, key, id from given where key is not null and not $18::boolean order by owner, key, id
    on conflict do nothing
    returning task_id
),
stored as (
    insert into tasks (id, lane, owner, priority, max_attempts, timeout_seconds, run_at, source_sha256, source_size,
                       source_name, options, extra_data, session_id, key, key_release, created_at, last_seq)
    select id, lane, owner, priority, max_attempts, timeout_seconds, run_at, source_sha256, source_size, source_name,
           options, extra_data, session_id, key, key_release::"char", $17::timestamptz, case when note is null then 0 else 1 end
    from given
    where key is null or $18::boolean or id in (select task_id from keyed)
    returning id, lane, owner, priority, run_at
),
readied as (
    insert into task_ready (lane, priority, task_id)
    select lane, priority, id from stored where run_at is null or run_at <= now()
    returning lane, priority, position
),
scheduled as (
    insert into task_schedule (run_at, task_id) select run_at, id from stored where run_at > now()
),
noted as (
    insert into task_events (task_id, seq, at, kind, data)
    select g.id, 1, $17::timestamptz, 'log', g.note from given g join stored s on s.id = g.id where g.note is not null
),
counted as (
    insert into task_counts (owner, lane, status, tasks, at)
    select owner, lane, 'pending', count(*), now() from stored group by owner, lane
)
select lane, priority, min(position) as position, null::uuid[] as keyed from readied group by lane, priority
union all
select null, null, null, array(select task_id from keyed)

-- name: present
-- Of tasks whose submit was not confirmed: those that were stored.
select id from tasks where id = any($1::uuid[])

-- name: missing_source
-- The first of these hashes that no stored file has.
select s.sha256 from unnest($1::bytea[]) with ordinality as s(sha256, place)
where not exists (select from files f where f.sha256 = s.sha256)
order by s.place limit 1

-- name: key_holder
-- The live task that holds a key.
select task_id from task_keys where owner = $1 and key = $2

-- name: lock_key
-- Makes those who replace the holder of one key wait for each other, until the end of the transaction.
select pg_advisory_xact_lock(hashtextextended($2, hashtextextended($1, 0)))

-- name: lock_holder
-- Locks the task that holds a key, as whoever frees the key does: which task that is has to be asked again afterwards.
select t.id from task_keys k join tasks t on t.id = k.task_id where k.owner = $1 and k.key = $2 for no key update of t

-- name: take_key
-- Gives a key to a task, if $4 holds it, or nobody does.
insert into task_keys as k (owner, key, task_id) values ($1, $2, $3)
on conflict (owner, key) do update set task_id = excluded.task_id where k.task_id = $4
returning task_id

-- name: next_position
-- A position before those of all tasks that become ready from now on.
select nextval('task_position') as position

-- name: count_imported
-- Counts tasks that were copied in.
insert into task_counts (owner, lane, status, tasks, at)
select owner, lane, 'pending', tasks, now() from unnest($1::text[], $2::int[], $3::bigint[]) as c(owner, lane, tasks)
