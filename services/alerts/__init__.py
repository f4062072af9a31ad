"""Check for problems in the state, the load status and the published marts, and send alerts."""
