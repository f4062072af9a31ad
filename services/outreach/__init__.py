"""Acting on the answers: audiences, campaigns, tags and comment replies, planned, approved, sent once; and answering people."""
