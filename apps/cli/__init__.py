"""The subcommands of ``douyin``, a module for each."""
