-- The students of the first release: the later one lacks their behaviour. Registration has a date and no time.
SELECT
    student_id::VARCHAR AS lead_id,
    date_registered::TIMESTAMP AS created_at,
    'not_recorded' AS channel,
    student_country AS country
FROM read_csv('{data}/365_student_info.csv')
