-- Leads over two years, each with events that thin out after its creation, some leads far busier than others, and one
-- event in a hundred corrected within a day. Moments are microseconds, amounts thousandths.
-- {leads}, {events} and {seed} are filled in.
CREATE MACRO roll(number, of, sides) AS (hash(number, of, {seed}) % sides)::BIGINT;

CREATE TABLE made_leads AS
SELECT
    'L' || lpad(number::VARCHAR, 9, '0') AS lead_id,
    1700000000000000 + roll(number, 'created', 63072000000000) AS created_at,
    ['sem', 'feed_ads', 'app', 'live', 'referral'][1 + roll(number, 'channel', 5)] AS channel,
FROM range({leads}) AS numbers(number);

CREATE TABLE made_facts AS
WITH rolls AS (
    SELECT
        number,
        floor({leads} * pow(roll(number, 'lead', 1000000000) / 1000000000, 1.5))::BIGINT AS lead,
        -ln((1 + roll(number, 'at', 1000000)) / 1000000) AS wait,
        roll(number, 'kind', 100) AS kind,
        roll(number, 'course', 1600) AS course,
    FROM range({events}) AS numbers(number)
)
SELECT
    'L' || lpad(lead::VARCHAR, 9, '0') AS lead_id,
    1700000000000000 + roll(lead, 'created', 63072000000000) + (wait * 25 * 86400000000)::BIGINT AS "at",
    'e' || lpad(number::VARCHAR, 9, '0') AS event_id,
    roll(number, 'delay', CASE WHEN number % 10 = 0 THEN 259200000000 ELSE 3600000000 END) AS delay,
    CASE
        WHEN kind < 45 THEN 'page_view' WHEN kind < 65 THEN 'lesson' WHEN kind < 77 THEN 'search'
        WHEN kind < 92 THEN 'login' WHEN kind < 97 THEN 'follow_up' ELSE 'order'
    END AS kind,
    CASE
        WHEN kind BETWEEN 45 AND 64 THEN 1000 + roll(number, 'amount', 90000)
        WHEN kind >= 97 THEN 1000 * roll(number, 'amount', 600)
    END AS amount,
    CASE WHEN kind < 65 AND course % 20 > 0 THEN 'c' || floor(sqrt(course))::INTEGER END AS course,
    CASE WHEN kind BETWEEN 92 AND 96
        THEN ['pending', 'in_contact', 'intention_unclear', 'intention_clear', 'won'][1 + course % 5]
    END AS status,
    number % 100 = 0 AS corrected,
FROM rolls;

CREATE VIEW made_events AS
SELECT
    lead_id, "at", event_id, "at" + delay AS arrived_at,
    CASE WHEN corrected THEN "at" + delay + 86400000000 END AS until, kind, amount, course, status
FROM made_facts
UNION ALL
SELECT lead_id, "at" + 60000000, event_id, "at" + delay + 86400000000, NULL, kind, amount, course, status
FROM made_facts WHERE corrected;

CREATE VIEW made_spine AS
SELECT lead_id, created_at + 5184000000000 AS as_of, channel FROM made_leads;
