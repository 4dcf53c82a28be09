"""Where and as whom: `offboard.toml`, the state folder, and the files that must be private.

`config.load_config` and `statefolder.StateFolder.open` are the doors. Whatever others could write is refused, because what
lies there decides whom this tool may touch.
"""
