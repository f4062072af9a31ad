{% set strength = "CASE WHEN move = 'enter' THEN 31 - rank ELSE rank_change END" %}
{% set moves = "('enter', 'up')" %}
{% include "_moves.sql" %}
