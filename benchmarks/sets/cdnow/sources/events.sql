-- One row an order, at the end of its day; the basket says whether it held more than one CD.
SELECT
    'order-' || row_number() OVER (ORDER BY line) AS event_id,
    part[1] AS lead_id,
    'order' AS kind,
    strptime(part[2], '%Y%m%d') + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND AS at,
    NULL::TIMESTAMP AS arrived_at,
    (part[4]::DECIMAL(12, 2) * 1000)::BIGINT AS amount,
    CASE WHEN part[3]::INT > 1 THEN 'several' ELSE 'one' END AS basket
FROM (
    SELECT line, regexp_split_to_array(trim(line), '\s+') AS part
    FROM read_csv('{data}/CDNOW_master.txt', columns = {'line': 'VARCHAR'}, delim = '\0', skip = 1, header = false)
)
