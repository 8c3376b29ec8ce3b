-- The export has no dates. Lead Number rises with time, so its rank stands in: one made-up day a lead.
--
-- Left out because sales fill them in after contact, so they know the outcome:
--   Tags                              e.g. "Will revert after reading the email": 97 % converted
--   Lead Quality                      sales' own judgement
--   Lead Profile                      likewise
--   Asymmetrique Activity Index       scored after contact
--   Asymmetrique Profile Index        scored after contact
--   Asymmetrique Activity Score       scored after contact
--   Asymmetrique Profile Score        scored after contact
--   Last Notable Activity             what happened last, contact included
--   Last Activity                     likewise: the state when the file was extracted, not when the lead came
-- Left out because fewer than 20 of 9,240 leads have a second value, or none:
--   Search, Magazine, Newspaper Article, X Education Forums, Newspaper, Digital Advertisement,
--   Through Recommendations, Receive More Updates About Our Courses, Update me on Supply Chain Content,
--   Get updates on DM Content, I agree to pay the amount through cheque
-- Do Not Call is "Yes" for 2 leads: no feature can be learnt from it, so no catalogue entry reads it, but a lock does.
-- Left out because it names the lead and says nothing of it: Prospect ID
--
-- "Select" is what a form shows before anybody chooses: missing.
SELECT
    "Lead Number" AS lead_id,
    TIMESTAMP '2000-01-01' + to_days((row_number() OVER (ORDER BY "Lead Number"::BIGINT))::INTEGER - 1) AS created_at,
    coalesce(lower(regexp_replace("Lead Source", '[^A-Za-z0-9]+', '_', 'g')), 'not_recorded') AS channel,
    "Lead Origin" AS origin,
    "Do Not Email" AS do_not_email,
    "Do Not Call" AS do_not_call,
    "TotalVisits"::DOUBLE AS visits,
    "Total Time Spent on Website"::DOUBLE AS seconds_on_site,
    "Page Views Per Visit"::DOUBLE AS pages_per_visit,
    nullif("Country", 'Select') AS country,
    nullif("City", 'Select') AS city,
    nullif("Specialization", 'Select') AS specialization,
    nullif("How did you hear about X Education", 'Select') AS heard_from,
    nullif("What is your current occupation", 'Select') AS occupation,
    nullif("What matters most to you in choosing a course", 'Select') AS motive,
    "A free copy of Mastering The Interview" AS free_copy
FROM read_csv('{data}/Leads.csv', all_varchar = true)
