-- Every date has no time of day: what happened on a day is known when the day is over, so it counts at its last
-- microsecond and a question asked at the next midnight sees it.
WITH facts AS (
    SELECT
        'watch-' || student_id || '-' || course_id || '-' || date_watched AS event_id,
        student_id,
        'watch' AS kind,
        date_watched AS day,
        minutes_watched AS amount,
        coalesce(course_title, 'course ' || course_id) AS course,
        NULL AS category,
        NULL AS plan
    FROM read_csv('{data}/365_student_learning.csv') AS watched
    LEFT JOIN read_csv('{data}/365_course_info.csv') AS courses USING (course_id)

    UNION ALL

    SELECT
        'engagement-' || engagement_id || '-' || activity, student_id, 'engage_' || activity, date_engaged,
        NULL, NULL, NULL, NULL
    FROM (
        UNPIVOT (
            SELECT
                engagement_id,
                student_id,
                date_engaged,
                engagement_quizzes AS quizzes,
                engagement_exams AS exams,
                engagement_lessons AS lessons
            FROM read_csv('{data}/365_student_engagement.csv')
        ) ON quizzes, exams, lessons INTO NAME activity VALUE flag
    )
    WHERE flag = 1

    UNION ALL

    SELECT
        'exam-' || exam_attempt_id, student_id, 'exam', date_exam_completed,
        exam_result, NULL, exam_category::VARCHAR, NULL
    FROM read_csv('{data}/365_student_exams.csv') AS exams
    LEFT JOIN read_csv('{data}/365_exam_info.csv') AS categories USING (exam_id)

    UNION ALL

    SELECT 'question-' || hub_question_id, student_id, 'question', date_question_asked, NULL, NULL, NULL, NULL
    FROM read_csv('{data}/365_student_hub_questions.csv')

    UNION ALL

    SELECT
        'rating-' || student_id || '-' || course_id || '-' || date_rated, student_id, 'rating', date_rated,
        course_rating, coalesce(course_title, 'course ' || course_id), NULL, NULL
    FROM read_csv('{data}/365_course_ratings.csv') AS ratings
    LEFT JOIN read_csv('{data}/365_course_info.csv') AS courses USING (course_id)

    UNION ALL

    -- The first release misses purchases, the later one the plan: their union, by purchase_id, has both.
    SELECT 'purchase-' || purchase_id, student_id, 'purchase', date_purchased, NULL, NULL, NULL, any_value(purchase_type)
    FROM (
        FROM read_csv('{data}/365_student_purchases.csv')
        UNION ALL BY NAME
        FROM read_csv('{data}/later_student_purchases.csv')
    )
    GROUP BY purchase_id, student_id, date_purchased
)

SELECT
    event_id,
    student_id::VARCHAR AS lead_id,
    kind,
    day::TIMESTAMP + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND AS at,
    NULL::TIMESTAMP AS arrived_at,
    round(amount * 1000)::BIGINT AS amount,
    course,
    category,
    plan
FROM facts
-- The later release also holds students who are not in the first one.
WHERE student_id IN (SELECT student_id FROM read_csv('{data}/365_student_info.csv'))
