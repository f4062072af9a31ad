{% set strength = "CASE WHEN move = 'leave' THEN 31 - rank_before ELSE -rank_change END" %}
{% set moves = "('leave', 'down')" %}
{% include "_moves.sql" %}
