FROM marts.video_performance {% include "_chosen.sql" %}
WHERE dt = (SELECT max(dt) FROM marts.video_performance {% include "_chosen.sql" %} WHERE dt BETWEEN $first AND $last)
