SELECT weekday, hour, sum(videos) AS videos, sum(judged_videos) AS judged, sum(hits) AS hits,
       exp(sum(ln(greatest(median_ratio, 0.01)) * judged_videos)
           / nullif(sum(judged_videos) FILTER (median_ratio IS NOT NULL), 0)) AS ratio
FROM marts.publishing_rhythm WHERE dt = $day GROUP BY ALL ORDER BY ALL
