-- name: due
-- Takes a maintenance job if it is due, by moving its next time; no row when it is not, or another process has it.
with known as (
    insert into maintenance (name) values ($1) on conflict (name) do nothing returning name
),
chosen as (
    select name from maintenance where name = $1 and next_at <= now() for update skip locked
)
update maintenance m set next_at = now() + $2 * interval '1 second'
from (select name from chosen union all select name from known) c where m.name = c.name
returning m.name

-- name: roll_up
-- Folds up to $1 counter deltas into one row for each owner, lane and status, and says how many there were. What they say of
-- times goes into the minutes of the flow, of which each keeps up to $2 tasks: of what was there and what is new as many as
-- their numbers ask for. A row that stands alone is left as it is.
with gone as (
    delete from task_counts where ctid = any(array(
        select ctid from task_counts c
        where (owner, lane, status) in (select owner, lane, status from task_counts group by 1, 2, 3 having count(*) > 1)
        limit $1 for update of c skip locked
    ))
    returning owner, lane, status, tasks, duration_ms, at, times
),
folded as (
    insert into task_counts (owner, lane, status, tasks, duration_ms)
    select owner, lane, status, sum(tasks), sum(duration_ms) from gone
    group by owner, lane, status having sum(tasks) <> 0 or sum(duration_ms) <> 0
),
flowed as (
    insert into task_flow as f (at, lane, submitted, completed, failed, cancelled, timed, times)
    select date_trunc('minute', at) as minute, lane,
           coalesce(sum(tasks) filter (where status = 'pending'), 0), coalesce(sum(tasks) filter (where status = 'completed'), 0),
           coalesce(sum(tasks) filter (where status = 'failed'), 0), coalesce(sum(tasks) filter (where status = 'cancelled'), 0),
           coalesce(sum(octet_length(times)), 0) / 8, thinned(coalesce(string_agg(times, ''), ''), $2::int)
    from gone where at is not null group by minute, lane order by minute, lane
    on conflict (at, lane) do update set
        submitted = f.submitted + excluded.submitted, completed = f.completed + excluded.completed,
        failed = f.failed + excluded.failed, cancelled = f.cancelled + excluded.cancelled, timed = f.timed + excluded.timed,
        times = case when octet_length(f.times) + octet_length(excluded.times) <= 8 * $2
                     then f.times || excluded.times
                     else thinned(f.times, greatest(1, round($2 * f.timed / (f.timed + excluded.timed)::numeric))::int)
                          || thinned(excluded.times, greatest(1, round($2 * excluded.timed / (f.timed + excluded.timed)::numeric))::int)
                end
)
select count(*) from gone

-- name: forget_flow
-- Removes the minutes that nobody can ask for any more.
delete from task_flow where at < now() - $1 * interval '1 minute'

-- name: be_brief
-- Has statements of this transaction give up a lock that is not free at once, before they get in the way of a vacuum.
select set_config('lock_timeout', '100', true)

-- name: note_ranges
-- Takes new tasks into the index of page ranges, by which lists find what is rare.
select brin_summarize_new_values('tasks_ranges')

-- name: stray_checkpoints
-- Removes checkpoints of tasks that are finished or gone: what was on its way when its attempt ended came too late
-- for that end to see it. By attempt, so that one of a task that was requeued meanwhile stays.
with stray as materialized (
    select c.task_id, c.attempt from task_checkpoints c
    where not exists (select 1 from tasks t where t.id = c.task_id and t.status = 'pending') limit 10000
)
delete from task_checkpoints c using stray s where c.task_id = s.task_id and c.attempt = s.attempt

-- name: touch_files
-- Makes or touches the rows of files, and says which it made: their locks, taken in one order by all, keep the sweeper
-- away until the end of the transaction, which waits for a lock for $3 milliseconds at most.
with brief as materialized (select set_config('lock_timeout', $3, true))
insert into files (sha256, size) select f.* from brief, unnest($1::bytea[], $2::bigint[]) as f(sha256, size) order by 1
on conflict (sha256) do update set touched_at = now()
returning sha256, xmax = 0 as made

-- name: unused_files
-- Of the next $3 files after $2: those that nothing refers to and nobody has touched for $1 seconds, and the last looked at.
with near as materialized (
    select sha256, touched_at from files where sha256 > $2 order by sha256 limit $3
)
select (select sha256 from near order by sha256 desc limit 1) as last, array(
    select f.sha256 from near f
    where f.touched_at < now() - $1 * interval '1 second'
      and (select 1 from tasks where source_sha256 = f.sha256 limit 1) is null
      and (select 1 from artifacts where sha256 = f.sha256 limit 1) is null
) as unused

-- name: lock_unused_file
-- Locks one file for its removal, if it is still unused: whoever stores the same bytes now waits for us.
select f.sha256 from files f
where f.sha256 = $1 and f.touched_at < now() - $2 * interval '1 second'
for update

-- name: file_in_use
-- Whether anything refers to a file.
select exists (select 1 from tasks where source_sha256 = $1) or exists (select 1 from artifacts where sha256 = $1)

-- name: forget_file
-- Removes the row of a file that the caller has locked.
delete from files where sha256 = $1

-- name: unfinished
-- How many tasks wait or run; with a time, those that are scheduled for later are left out. One look: a task that
-- goes from one place to another meanwhile is not missed.
select (select count(*) from task_ready) + (select count(*) from task_leases)
       + (select count(*) from task_schedule where $1::timestamptz is null or run_at <= $1)

-- name: unfinished_tasks
-- Which of the given tasks are there and not at their end.
select id from tasks where id = any ($1::uuid[]) and status = 'pending'

-- name: hasten
-- Makes tasks that are scheduled up to a time due now.
update task_schedule set run_at = now() where run_at > now() and run_at <= $1
