-- What the queue did over time: read from its minutes, so that it costs the same however many tasks there were.

-- name: history
-- Of the lane of a processor ($1), or of all, over the last $2 minutes in steps of $3 seconds: counts and times of each step,
-- then one row of the times of all. Minutes that are not rolled up yet are read from the deltas. Of each step about $4 tasks
-- are looked at, the same number of every minute, each of which stands for as many as its minute has for each that it kept.
with span as (
    select to_timestamp(floor(extract(epoch from now() - $2::int * interval '1 minute') / $3::int) * $3) as since
),
flowed as not materialized (
    select floor(extract(epoch from f.at - s.since) / $3)::int as step, f.*
    from span s join (
        select at, submitted, completed, failed, cancelled, timed, times
        from task_flow
        where ($1::text is null or lane = (select id from lanes where processor = $1))
          and at >= now() - $2 * interval '1 minute' - $3 * interval '1 second'  -- by which the planner sees how little it is
        union all
        select at, case status when 'pending' then tasks else 0 end, case status when 'completed' then tasks else 0 end,
               case status when 'failed' then tasks else 0 end, case status when 'cancelled' then tasks else 0 end,
               coalesce(octet_length(times), 0) / 8, coalesce(times, '')
        from task_counts
        where at is not null and ($1::text is null or lane = (select id from lanes where processor = $1))
    ) f on f.at >= s.since
),
counted as materialized (
    select step, sum(submitted)::bigint as submitted, sum(completed)::bigint as completed, sum(failed)::bigint as failed,
           sum(cancelled)::bigint as cancelled, sum(timed) as timed, greatest(1, $4::int / count(*))::int as most
    from flowed group by step
),
pairs as materialized (
    select step, timed / k::float8 as weight, (both_times >> 32)::int as wait, (both_times & 2147483647)::int as run
    from (
        select f.step, f.timed, k,
               -- Evenly spread, from another place in each minute: all places get their turn.
               ('x' || encode(substring(f.times from (i * n + minute % n) / k * 8 + 1 for 8), 'hex'))::bit(64)::bigint as both_times
        from flowed f
        join counted c using (step)
        cross join lateral (
            select octet_length(f.times) / 8 as n, least(octet_length(f.times) / 8, c.most) as k,
                   (extract(epoch from f.at) / 60)::int as minute
        ) l
        cross join lateral generate_series(0, k - 1) as g(i)
    ) decoded
),
weighed as materialized (
    select step, 0 as kind, wait as ms, weight from pairs where wait >= 0
    union all select step, 1, run, weight from pairs
),
ranked as (
    select step, kind, ms, sum(weight) over (partition by kind, step order by ms rows unbounded preceding) as upto from weighed
    union all
    select -1, kind, ms, sum(weight) over (partition by kind order by ms rows unbounded preceding) from weighed
),
wholes as (
    select coalesce(step, -1) as step, kind, sum(weight) as whole from weighed group by grouping sets ((kind, step), (kind))
),
percentiles as (
    select step, min(ms) filter (where kind = 0 and upto >= 0.5 * whole) as wait_p50,
           min(ms) filter (where kind = 0 and upto >= 0.95 * whole) as wait_p95,
           min(ms) filter (where kind = 1 and upto >= 0.5 * whole) as run_p50,
           min(ms) filter (where kind = 1 and upto >= 0.95 * whole) as run_p95
    from ranked join wholes using (step, kind) group by step
)
select s.since + g.step * $3 * interval '1 second' as at, now() as until,
       coalesce(c.submitted, 0) as submitted, coalesce(c.completed, 0) as completed, coalesce(c.failed, 0) as failed,
       coalesce(c.cancelled, 0) as cancelled, q.wait_p50, q.wait_p95, q.run_p50, q.run_p95,
       (select coalesce(sum(timed), 0) from counted) > (select count(*) from pairs) as is_sample
from span s
cross join lateral (
    select * from generate_series(0, floor(extract(epoch from now() - s.since) / $3)::int) as n(step) union all select -1
) g
left join counted c on c.step = g.step
left join percentiles q on q.step = g.step
order by g.step = -1, g.step
