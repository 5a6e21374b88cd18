-- What the queue did, minute by minute, for as long as people look back: folded from the counter deltas, never from tasks.
-- min_compatible: 1

-- A delta says when a task came or ended, and of ended ones how long each waited and ran: pairs of milliseconds, as int4send
-- writes them, -1 for a wait that is not known. Sums that were rolled up say neither.
alter table task_counts add column at timestamptz, add column times bytea;
alter table task_counts alter column times set storage main;

create table task_flow (
    at        timestamptz not null,                                       -- the minute
    lane      integer     not null,
    submitted bigint      not null,
    completed bigint      not null,
    failed    bigint      not null,
    cancelled bigint      not null,
    timed     bigint      not null,                                       -- how many tasks `times` stands for
    times     bytea       not null,
    primary key (at, lane)
);
alter table task_flow alter column times set storage main;

-- At most so many of the pairs, evenly spread.
create function thinned(times bytea, most integer) returns bytea language sql immutable strict parallel safe
return case when octet_length(times) <= 8 * most then times else (
    select string_agg(substring(times from (i::bigint * (octet_length(times) / 8) / most)::int * 8 + 1 for 8), '' order by i)
    from generate_series(0, most - 1) as g(i)
) end;
