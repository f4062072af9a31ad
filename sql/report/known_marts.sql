SELECT name FROM meta.marts
