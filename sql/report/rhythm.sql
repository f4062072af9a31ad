SELECT weekday, hour, sum(videos) AS videos, sum(judged_videos) AS judged, sum(hits) AS hits,
       greatest(sum(judged_plays), 0.01 * sum(expected_plays)) / nullif(sum(expected_plays), 0) AS ratio
FROM marts.publishing_rhythm WHERE dt = $day GROUP BY ALL ORDER BY ALL
