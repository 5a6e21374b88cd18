-- What operators ask: where a task stands, and whether the server has room for all of us.

-- name: standing
-- Where one task stands and what it waits for, at one moment; what is ahead of it is counted up to $2, in the order of the
-- index: without it the planner would read all that is ready. A worker of which nobody can see from which lanes it claims may
-- claim from any.
with served as (
    select ((k.classid::bigint & 65535) << 16) | (k.objid::bigint >> 16) as worker, k.objid::bigint & 65535 as lane
    from pg_locks k
    where k.locktype = 'advisory' and k.objsubid = 1 and k.granted and k.classid::bigint >> 16 = 28276
      and k.database = (select oid from pg_database where datname = current_database())
)
select n.processor, n.paused, t.status as stored_status, t.failures, t.max_attempts, t.error, t.cancel_reason, t.finished_at,
       coalesce(l.attempt, t.attempt) as attempt, s.run_at, now() as at,
       l.worker_id, l.started_at as since, l.deadline, coalesce(l.cancel_requested, false) as cancel_requested,
       w.name as worker_name, w.host, w.pid, greatest(extract(epoch from now() - w.beat_at), 0)::float8 as beat_seconds,
       case when r.task_id is not null then (
           select count(*) from (
               (select 1 from task_ready q
                where q.lane = r.lane and q.priority > r.priority order by q.priority, q.position limit $2)
               union all
               (select 1 from task_ready q
                where q.lane = r.lane and q.priority = r.priority and q.position < r.position
                order by q.position limit $2)
               limit $2
           ) before
       ) end as ahead,
       c.workers, c.slots, c.running
from tasks t
join lanes n on n.id = t.lane
left join task_ready r on r.task_id = t.id
left join task_schedule s on s.task_id = t.id
left join task_leases l on l.task_id = t.id
left join workers w on w.id = l.worker_id
cross join lateral (
    select count(*) as workers, coalesce(sum(k.slots), 0)::bigint as slots,
           coalesce(sum((select count(*) from task_leases held where held.worker_id = k.id)), 0)::bigint as running
    from workers k
    where k.state = 'running'
      and (exists (select 1 from served where served.worker = k.id & 4294967295 and served.lane = t.lane & 65535)
           or not exists (select 1 from served where served.worker = k.id & 4294967295))
) c
where t.id = $1

-- name: capacity
-- How many connections ordinary users may have, and the listening connection of every process of ours on this database: not
-- those from which nothing has come for $1 seconds. Of other users' connections nobody may see that: they count.
select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::int as usable,
       array(select pid from pg_stat_activity
             where datname = current_database() and application_name = 'novel-tasks listen'
               and coalesce(state_change > clock_timestamp() - make_interval(secs => $1), true)) as listeners

-- name: facts
-- What the server is, what time it has, and which of its settings let it lose a commit.
select current_setting('server_version') as version, current_setting('server_version_num')::int as version_number,
       current_setting('server_encoding') as encoding, pg_is_in_recovery() as is_standby,
       extract(epoch from clock_timestamp())::float8 as clock,
       array(select name || '=' || setting from pg_settings
             where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off' order by name) as unsafe

-- name: room
-- How many bytes the database takes, and how many tasks there are.
select pg_database_size(current_database()) as database_bytes,
       (select coalesce(sum(tasks), 0)::bigint from task_counts) as tasks

-- name: stored_bytes
-- How many bytes all stored files have.
select coalesce(sum(size), 0)::bigint from files
