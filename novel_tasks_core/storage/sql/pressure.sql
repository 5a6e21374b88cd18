-- name: holders
-- Who keeps dead rows from being removed, the longest first: sessions of this database or with a transaction id, standbys,
-- prepared transactions, replication slots. Seconds are null where nobody knows since when. Never the text of a query.
select kind, pid, name, state, seconds, transactions
from (
    select case backend_type when 'walsender' then 'standby' else 'session' end as kind, pid, application_name as name,
           coalesce(state, '') as state, extract(epoch from clock_timestamp() - xact_start)::float8 as seconds,
           greatest(age(backend_xmin), age(backend_xid)) as transactions
    from pg_stat_activity
    where pid <> pg_backend_pid() and backend_type <> 'autovacuum worker'
      and (backend_xid is not null or backend_xmin is not null and (datid is null or datname = current_database()))
    union all
    select 'prepared', null, gid, 'prepared', extract(epoch from clock_timestamp() - prepared)::float8, age(transaction)
    from pg_prepared_xacts
    union all
    select 'slot', active_pid, slot_name, case when active then 'active' else 'inactive' end, null, age(xmin)
    from pg_replication_slots where xmin is not null
) h
order by seconds desc nulls last, transactions desc
limit $1

-- name: dead_rows
-- Rows of the busy tables that are dead but still there, and those that live, as the server estimates them.
select relname as name, n_dead_tup as dead, n_live_tup as live from pg_stat_user_tables
where schemaname = current_schema() and relname in ('task_ready', 'task_schedule', 'task_leases', 'tasks')
order by relname

-- name: begin_warning
-- Notes that a warning was given; no row when another process has given it.
insert into maintenance (name, next_at) values ($1, 'infinity') on conflict (name) do nothing returning name

-- name: end_warning
-- Notes that what was warned of is over; no row when nobody has warned.
delete from maintenance where name = $1 returning name
