"""The subcommands of ``douyin``, one module each."""
