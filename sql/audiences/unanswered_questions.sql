-- description: comments that ask something and have no reply yet, for comment replies / 带问句且尚无回复的评论
-- grain: account, person, comment
-- owner: community
SELECT open_id AS account, commenter_open_id AS open_id, 'asks, no reply yet' AS reason, item_id, comment_id
FROM comments_latest
WHERE reply_count = 0 AND commenter_open_id <> open_id AND regexp_matches(content, '[?？]|吗$|多少|怎么|哪里')
QUALIFY row_number() OVER (PARTITION BY open_id ORDER BY created_at DESC) <= 20
