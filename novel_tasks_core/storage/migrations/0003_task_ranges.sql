-- Finds the few among the many: tasks of a rare processor, or the first completed ones behind a long backlog.
-- It keeps one line for 32 pages and is written only when a page range meets a new value: no WAL of its own per task.
-- min_compatible: 1

do $$
begin
    if current_setting('server_version_num')::int >= 160000 then
        create index tasks_ranges on tasks using brin (id, lane int4_minmax_multi_ops, status)
            with (pages_per_range = 32);
    else
        -- Before PostgreSQL 16 even such an index on the status would forbid HOT updates to every task that ends.
        create index tasks_ranges on tasks using brin (id, lane int4_minmax_multi_ops)
            with (pages_per_range = 32);
    end if;
end
$$;
