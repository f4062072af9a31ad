"""What is wrong now: conditions found in the state, in the lake's outcomes and in the published marts."""
