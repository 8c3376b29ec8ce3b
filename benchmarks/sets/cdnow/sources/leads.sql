-- A customer is known from the first purchase on. Dates have no time of day.
SELECT split_part(trim(line), ' ', 1) AS lead_id, min(strptime(regexp_split_to_array(trim(line), '\s+')[2], '%Y%m%d')) AS created_at,
    'not_recorded' AS channel
FROM read_csv('{data}/CDNOW_master.txt', columns = {'line': 'VARCHAR'}, delim = '\0', skip = 1, header = false)
GROUP BY ALL
