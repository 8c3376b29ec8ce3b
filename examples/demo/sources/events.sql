-- Behaviour in the app. Some rows were delivered twice; they carry the same event_id and count once.
SELECT
    event_id,
    lead_id,
    action AS kind,
    happened_at AS at,
    received_at AS arrived_at,
    round(minutes * 1000)::BIGINT AS amount,
    course,
    NULL::VARCHAR AS status,
    NULL::VARCHAR AS product,
    NULL::VARCHAR AS taken_by
FROM read_parquet('{data}/behaviour.parquet')

UNION ALL

-- Follow-up by sales: each status is entered once, in order.
SELECT
    lead_id || '-' || status,
    lead_id,
    'follow_up',
    changed_at,
    changed_at,
    NULL,
    NULL,
    MAP {
        '待跟进': 'pending',
        '联系中': 'in_contact',
        '意向不明': 'intention_unclear',
        '意向明确': 'intention_clear',
        '预约付款': 'payment_scheduled',
        '成交': 'won'
    }[status],
    NULL,
    NULL
FROM read_csv('{data}/followups.csv')

UNION ALL

-- Orders of trial packages count when they are paid, and are known when they are booked.
SELECT order_id, lead_id, 'order', paid_at, booked_at, round(paid_yuan * 1000)::BIGINT, NULL, NULL, product, NULL
FROM read_csv('{data}/orders.csv')

UNION ALL

-- A full course and its renewals are contracts: paid for when they are signed, known when they are booked.
SELECT
    contract_id,
    lead_id,
    MAP {'正课': 'full_course', '续费': 'renewal'}[product],
    signed_at,
    booked_at,
    round(paid_yuan * 1000)::BIGINT,
    NULL,
    NULL,
    product,
    NULL
FROM read_csv('{data}/contracts.csv')

UNION ALL

-- Friends who signed up and named the lead that sent them; they are leads of their own elsewhere.
SELECT referral_id, lead_id, 'friend_joined', joined_at, recorded_at, NULL, NULL, NULL, NULL, NULL
FROM read_csv('{data}/friends.csv')
