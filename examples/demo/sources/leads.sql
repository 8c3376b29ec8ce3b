-- One row per version of a lead: the CRM writes a new row when stage and city become known.
SELECT
    lead_id,
    created_at,
    -- A channel that is missing here comes out empty, and `leadlight check` names it.
    MAP {
        '信息流': 'feed_ads',
        '搜索推广': 'sem',
        '自然搜索': 'seo',
        'APP': 'app',
        '私域': 'wechat_private',
        '新媒体': 'new_media',
        '直播': 'live',
        '线下活动': 'offline_event',
        '短信': 'sms',
        '转介绍': 'referral'
    }[channel] AS channel,
    phone,
    tag,
    subject,
    stage,
    city,
    updated_at AS at,
    updated_at AS arrived_at
FROM read_csv('{data}/leads.csv', types = {'phone': 'VARCHAR'})
