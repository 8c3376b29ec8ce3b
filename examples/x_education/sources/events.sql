-- The one dated fact is made up too: a lead that converted did so a second after it came.
SELECT
    'converted-' || "Lead Number" AS event_id,
    "Lead Number" AS lead_id,
    'converted' AS kind,
    TIMESTAMP '2000-01-01' + to_days(rank::INTEGER - 1) + INTERVAL 1 SECOND AS at,
    NULL::TIMESTAMP AS arrived_at,
    NULL::BIGINT AS amount
FROM (
    SELECT *, row_number() OVER (ORDER BY "Lead Number"::BIGINT) AS rank
    FROM read_csv('{data}/Leads.csv', all_varchar = true)
)
WHERE "Converted" = '1'
