-- name: register
-- Registers a worker; its id is new for ever.
insert into workers (name, host, pid, version, slots) values ($1, $2, $3, $4, $5) returning id

-- name: beat
-- Renews all leases of a worker at once. No row: the worker was buried.
update workers set beat_at = now(), state = $2 where id = $1 returning id

-- name: flags
-- What a worker must know of its own leases: those to cancel, and those of the given that are gone.
select l.task_id, l.attempt, t.cancel_reason as reason, false as gone
from task_leases l join tasks t on t.id = l.task_id where l.worker_id = $1 and l.cancel_requested
union all
select h.task_id, h.attempt, '', true
from unnest($2::uuid[], $3::int[]) as h(task_id, attempt)
where not exists (
    select 1 from task_leases l where l.task_id = h.task_id and l.worker_id = $1 and l.attempt = h.attempt
)

-- name: retire
-- Takes a worker that has nothing left off the list.
delete from workers where id = $1

-- name: beats
-- The last heartbeat of every worker.
select id, beat_at from workers

-- name: bury
-- Declares a worker dead, unless it has beaten since it was looked at.
delete from workers where id = $1 and beat_at = $2 returning id

-- name: orphans
-- Leases whose worker is no longer registered.
select l.task_id, l.attempt, l.worker_id, l.started_at, n.processor, t.failures, t.max_attempts
from task_leases l
join tasks t on t.id = l.task_id
join lanes n on n.id = l.lane
where l.worker_id <> 0 and not exists (select 1 from workers w where w.id = l.worker_id)
order by l.task_id limit $1

-- name: overdue
-- Leases of outside services that have passed their deadline.
select l.task_id, l.attempt, l.worker_id, l.started_at, n.processor, t.failures, t.max_attempts
from task_leases l
join tasks t on t.id = l.task_id
join lanes n on n.id = l.lane
where l.worker_id = 0 and l.deadline < now()
order by l.task_id limit $1

-- name: list_workers
-- Every registered worker, with how much it runs, how long ago it was heard, and from which lanes it claims: null if nobody
-- can see that, as while its heartbeat reconnects.
with served as (
    select ((k.classid::bigint & 65535) << 16) | (k.objid::bigint >> 16) as worker, k.objid::bigint & 65535 as lane
    from pg_locks k
    where k.locktype = 'advisory' and k.objsubid = 1 and k.granted and k.classid::bigint >> 16 = 28276
      and k.database = (select oid from pg_database where datname = current_database())
)
select w.id, w.name, w.host, w.pid, w.version, w.state, w.slots,
       greatest(extract(epoch from now() - w.beat_at), 0)::float8 as beat_seconds,
       (select count(*) from task_leases l where l.worker_id = w.id) as running,
       (select array_agg(n.processor order by n.processor) from served s join lanes n on n.id & 65535 = s.lane
        where s.worker = w.id & 4294967295) as processors
from workers w order by w.id

-- name: serve
-- Tells everybody, for as long as this connection lives, from which lanes a worker claims: by shared locks of our own range
-- of keys (28276 in the highest 16 bits, then 32 of the worker's id, then 16 of the lane's), which nobody ever waits for.
select count(*) filter (where pg_try_advisory_lock_shared(
    (28276::bigint << 48) | (($1::bigint & 4294967295) << 16) | (lane::bigint & 65535)))
from unnest($2::int[]) as lane
