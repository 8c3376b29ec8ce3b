-- The forty columns of catalogue.toml, and valid_until, written for DuckDB by hand. It uses what the compiled expression
-- must not: that a lead has one row. {events} and {spine} are Parquet files.
WITH spine AS (
    SELECT lead_id, as_of, (as_of + 28800000000) // 86400000000 AS today FROM '{spine}'
),
seen AS (
    SELECT
        lead_id, as_of, today, "at", event_id, kind, amount, course, status,
        greatest("at" + 1, arrived_at) AS enters,
        least(
            coalesce(until, 253402300799000000),
            CASE WHEN kind = 'search' THEN "at" + 7776000000001 ELSE 253402300799000000 END
        ) AS gone,
        ("at" + 28800000000) // 86400000000 AS day,
        ("at" + 28800000000) // 3600000000 % 24 AS hour,
        enters <= as_of AS past,
        kind = 'page_view' AS view,
        kind = 'lesson' AS lesson,
        kind = 'search' AS search,
        kind = 'login' AS login,
        kind = 'follow_up' AS follow_up,
        kind = 'order' AS bought,
        course IN ('c1', 'c2', 'c3') AS science,
        (day + 3) % 7 > 4 AS weekend,
        past AND "at" >= as_of - 86400000000 AS w1,
        past AND "at" >= as_of - 604800000000 AS w7,
        past AND "at" >= as_of - 2592000000000 AS w30,
        past AND "at" >= as_of - 7776000000000 AS w90,
    FROM read_parquet('{events}') JOIN spine USING (lead_id)
    WHERE gone > as_of AND gone > enters
),
lead AS (
    SELECT
        lead_id,
        min(
            least(
                gone,
                CASE
                    WHEN NOT past THEN enters
                    WHEN w1 AND view THEN "at" + 86400000001
                    WHEN w7 AND NOT bought THEN "at" + 604800000001
                    WHEN w30 AND NOT follow_up THEN "at" + 2592000000001
                    WHEN w90 AND (view OR lesson OR login) THEN "at" + 7776000000001
                    ELSE 253402300799000000
                END
            )
        ) AS changes,
        count_if(w1 AND view)::BIGINT AS views_1d,
        count_if(w7 AND view)::BIGINT AS views_7d,
        count_if(w30 AND view)::BIGINT AS views_30d,
        count_if(past AND view)::BIGINT AS views_all,
        count_if(w7 AND lesson)::BIGINT AS lessons_7d,
        count_if(w30 AND lesson)::BIGINT AS lessons_30d,
        count_if(w7 AND search)::BIGINT AS searches_7d,
        count_if(w30 AND search)::BIGINT AS searches_30d,
        count_if(w30 AND lesson AND science)::BIGINT AS science_30d,
        count_if(past AND lesson AND science)::BIGINT AS science_all,
        count_if(w7 AND follow_up)::BIGINT AS contacts_7d,
        count_if(past AND bought AND amount > 300000)::BIGINT AS dear,
        sum(CASE WHEN w7 AND lesson THEN amount END)::BIGINT AS minutes_7d,
        sum(CASE WHEN w30 AND lesson THEN amount END)::BIGINT AS minutes_30d,
        sum(CASE WHEN past AND lesson THEN amount END)::BIGINT AS minutes_all,
        sum(CASE WHEN w30 AND bought THEN amount END)::BIGINT AS paid_30d,
        sum(CASE WHEN past AND bought THEN amount END)::BIGINT AS paid_all,
        max(CASE WHEN w30 AND lesson THEN amount END) AS longest_30d,
        max(CASE WHEN past AND bought THEN amount END) AS dearest,
        bit_or(CASE WHEN w7 AND NOT (follow_up OR bought) THEN 1 << (today - day) END) AS days_7d,
        bit_or(CASE WHEN w30 AND NOT (follow_up OR bought) THEN 1 << (today - day) END) AS days_30d,
        bit_or(CASE WHEN w90 AND NOT (follow_up OR bought) THEN 1::HUGEINT << (today - day)::INTEGER END)
            AS days_90d,
        min(CASE WHEN past AND view THEN "at" END) AS first_view,
        max(CASE WHEN past AND view THEN "at" END) AS last_view,
        max(CASE WHEN past AND lesson THEN "at" END) AS last_lesson,
        max(CASE WHEN past AND bought THEN "at" END) AS last_order,
        min({{'at': "at", 'id': event_id, 'is': course}}) FILTER (past AND view AND course IS NOT NULL)
            AS first_course,
        max({{'at': "at", 'id': event_id, 'is': course}}) FILTER (past AND view AND course IS NOT NULL)
            AS last_course,
        max({{'at': "at", 'id': event_id, 'is': status}}) FILTER (past AND status IS NOT NULL) AS status,
        max({{'at': "at", 'id': event_id, 'is': amount}}) FILTER (past AND bought) AS last_paid,
        count_if(w30 AND (view OR lesson OR login) AND weekend)::BIGINT AS weekend_30d,
        count_if(w30 AND (view OR lesson OR login))::BIGINT AS week_30d,
        count_if(past AND (view OR lesson OR login) AND weekend)::BIGINT AS weekend_all,
        count_if(past AND (view OR lesson OR login))::BIGINT AS week_all,
        count_if(w30 AND lesson AND hour >= 18)::BIGINT AS evening_30d,
    FROM seen
    GROUP BY lead_id
),
courses AS (
    SELECT
        lead_id, any_value(as_of) AS as_of, course, max("at") AS newest, count(*) AS n_all,
        count_if("at" >= as_of - 2592000000000)::BIGINT AS n_30d,
    FROM read_parquet('{events}') JOIN spine USING (lead_id)
    WHERE course IS NOT NULL AND "at" < as_of AND arrived_at <= as_of AND coalesce(until > as_of, true)
    GROUP BY lead_id, course
),
favourites AS (
    SELECT
        lead_id,
        count_if(newest >= as_of - 604800000000)::BIGINT AS courses_7d,
        count_if(newest >= as_of - 2592000000000)::BIGINT AS courses_30d,
        count(*) AS courses_all,
        min(CASE WHEN n_30d > 0 THEN (2000000000 - n_30d) || course END, 2) AS favourites_30d,
        min((2000000000 - n_all) || course, 2) AS favourites_all,
    FROM courses
    GROUP BY lead_id
)
SELECT
    lead_id, as_of,
    least(
        coalesce(changes, 253402300799000000),
        first_view + ((as_of - first_view) // 86400000000 + 1) * 86400000000,
        last_view + ((as_of - last_view) // 3600000000 + 1) * 3600000000,
        last_lesson + ((as_of - last_lesson) // 86400000000 + 1) * 86400000000,
        last_order + ((as_of - last_order) // 86400000000 + 1) * 86400000000
    ) AS valid_until,
    coalesce(views_1d, 0) AS views_1d,
    coalesce(views_7d, 0) AS views_7d,
    coalesce(views_30d, 0) AS views_30d,
    coalesce(views_all, 0) AS views_all,
    coalesce(lessons_7d, 0) AS lessons_7d,
    coalesce(lessons_30d, 0) AS lessons_30d,
    coalesce(searches_7d, 0) AS searches_7d,
    coalesce(searches_30d, 0) AS searches_30d,
    coalesce(science_30d, 0) AS science_30d,
    coalesce(science_all, 0) AS science_all,
    coalesce(contacts_7d, 0) AS contacts_7d,
    coalesce(dear, 0) AS dear,
    coalesce(minutes_7d, 0) / 1000 AS minutes_7d,
    coalesce(minutes_30d, 0) / 1000 AS minutes_30d,
    coalesce(minutes_all, 0) / 1000 AS minutes_all,
    coalesce(paid_30d, 0) / 1000 AS paid_30d,
    coalesce(paid_all, 0) / 1000 AS paid_all,
    longest_30d / 1000 AS longest_30d,
    dearest / 1000 AS dearest,
    coalesce(courses_7d, 0) AS courses_7d,
    coalesce(courses_30d, 0) AS courses_30d,
    coalesce(courses_all, 0) AS courses_all,
    coalesce(bit_count(days_7d), 0)::BIGINT AS days_7d,
    coalesce(bit_count(days_30d), 0)::BIGINT AS days_30d,
    coalesce(bit_count(days_90d), 0)::BIGINT AS days_90d,
    (as_of - first_view) // 86400000000 AS first_view,
    (as_of - last_view) // 3600000000 AS last_view,
    (as_of - last_lesson) // 86400000000 AS last_lesson,
    (as_of - last_order) // 86400000000 AS last_order,
    first_course['is'] AS first_course,
    last_course['is'] AS last_course,
    status['is'] AS status,
    last_paid['is'] / 1000 AS last_paid,
    favourites_30d[1][11:] AS favourite_30d_1,
    favourites_30d[2][11:] AS favourite_30d_2,
    favourites_all[1][11:] AS favourite_all_1,
    favourites_all[2][11:] AS favourite_all_2,
    weekend_30d / nullif(week_30d, 0) AS weekend_30d,
    weekend_all / nullif(week_all, 0) AS weekend_all,
    evening_30d / nullif(lessons_30d, 0) AS evening_30d,
FROM spine LEFT JOIN lead USING (lead_id) LEFT JOIN favourites USING (lead_id)
