-- What the queue did over time: read from its minutes, so that it costs the same however many tasks there were.

-- name: history
-- Of the lane of a processor ($1), or of all, over the last $2 minutes in steps of $3 seconds: the counts and times of each
-- step that had any, then one row, without a step, for all of them; of every step at least that with its begin.
-- Of the times of each step about $4 tasks are looked at, each standing for as many as the minute kept it for. Minutes that
-- are not rolled up yet are read from the deltas.
with span as (
    select to_timestamp(floor(extract(epoch from now() - $2::int * interval '1 minute') / $3::int) * $3) as since
),
flowed as materialized (
    select f.at, f.submitted, f.completed, f.failed, f.cancelled, f.timed, f.times
    from task_flow f
    where f.at >= (select since from span) and ($1::text is null or f.lane = (select id from lanes where processor = $1))
    union all
    select c.at, case status when 'pending' then tasks else 0 end, case status when 'completed' then tasks else 0 end,
           case status when 'failed' then tasks else 0 end, case status when 'cancelled' then tasks else 0 end,
           coalesce(octet_length(times), 0) / 8, coalesce(times, '')
    from task_counts c
    where c.at >= (select since from span) and ($1::text is null or c.lane = (select id from lanes where processor = $1))
),
stepped as materialized (
    select floor(extract(epoch from f.at - s.since) / $3)::int as step, f.* from flowed f cross join span s
),
rows_of as (select step, count(*) as rows from stepped where times <> '' group by step),
picked as materialized (
    select t.step, t.timed, thinned(t.times, greatest(1, $4::int / r.rows)::int) as times
    from stepped t join rows_of r using (step) where t.times <> ''
),
pairs as materialized (
    select p.step, p.timed / (octet_length(p.times) / 8)::float8 as weight,
           ('x' || encode(substring(p.times from i for 4), 'hex'))::bit(32)::int as wait,
           ('x' || encode(substring(p.times from i + 4 for 4), 'hex'))::bit(32)::int as run
    from picked p cross join lateral generate_series(1, octet_length(p.times), 8) as g(i)
),
ranked as (
    select step, kind, ms, weight, sum(weight) over (partition by kind, step order by ms rows unbounded preceding) as upto,
           sum(weight) over (partition by kind, step) as all_weight
    from (
        select step, 'wait' as kind, wait as ms, weight from pairs where wait >= 0
        union all select step, 'run', run, weight from pairs
        union all select null, 'wait', wait, weight from pairs where wait >= 0
        union all select null, 'run', run, weight from pairs
    ) both_kinds
),
percentiles as (
    select step, min(ms) filter (where kind = 'wait' and upto >= 0.5 * all_weight) as wait_p50,
           min(ms) filter (where kind = 'wait' and upto >= 0.95 * all_weight) as wait_p95,
           min(ms) filter (where kind = 'run' and upto >= 0.5 * all_weight) as run_p50,
           min(ms) filter (where kind = 'run' and upto >= 0.95 * all_weight) as run_p95
    from ranked group by step
),
counted as (
    select step, sum(submitted)::bigint as submitted, sum(completed)::bigint as completed, sum(failed)::bigint as failed,
           sum(cancelled)::bigint as cancelled
    from stepped group by step
)
select s.since + g.step * $3 * interval '1 second' as at, now() as until,
       coalesce(c.submitted, 0) as submitted, coalesce(c.completed, 0) as completed, coalesce(c.failed, 0) as failed,
       coalesce(c.cancelled, 0) as cancelled, q.wait_p50, q.wait_p95, q.run_p50, q.run_p95,
       (select coalesce(sum(timed), 0) from stepped) > (select count(*) from pairs) as is_sample
from span s
cross join lateral (
    select * from generate_series(0, floor(extract(epoch from now() - s.since) / $3)::int) as n(step)
    union all select null
) g
left join counted c on c.step = g.step
left join percentiles q on q.step is not distinct from g.step
order by g.step nulls last
