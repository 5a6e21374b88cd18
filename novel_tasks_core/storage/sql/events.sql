-- name: after
-- Stored events of a task after a seq.
select seq, at, attempt, kind, data from task_events where task_id = $1 and seq > $2 order by seq limit $3

-- name: after_without_logs
-- The same without the log entries.
select seq, at, attempt, kind, data from task_events
where task_id = $1 and seq > $2 and kind <> 'log' order by seq limit $3

-- name: logs
-- Log entries of a task after a seq, of the given levels.
select seq, at, attempt, data from task_events
where task_id = $1 and seq > $2 and kind = 'log' and data ->> 'level' = any($3::text[]) order by seq limit $4

-- name: state
-- What a watcher needs to know before it follows: the last seq, whether more can come, and the live progress.
select last_seq, status, attempt, progress, stage from task_current where id = $1

-- name: states
-- The same for several tasks; those that are gone are missing.
select id, last_seq, status, attempt, progress, stage from task_current where id = any($1::uuid[])
