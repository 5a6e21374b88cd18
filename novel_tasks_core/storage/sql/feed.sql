-- name: arrived
-- The newest of the tasks from id $1 on, at most $2; and where $3 is true, how many of all tasks the counters know by
-- stored status, of the same moment.
select array(select id from tasks where id >= $1 order by id desc limit $2) as ids,
       case when $3::boolean then (
           select array[
               coalesce(sum(tasks) filter (where status = 'pending'), 0), coalesce(sum(tasks) filter (where status = 'completed'), 0),
               coalesce(sum(tasks) filter (where status = 'failed'), 0), coalesce(sum(tasks) filter (where status = 'cancelled'), 0)
           ]::bigint[] from task_counts
       ) end as counts

-- name: running
-- Up to $1 tasks that run, each with the part of its version that its lease makes.
select task_id, attempt || '.' || tick as version from task_leases limit $1
