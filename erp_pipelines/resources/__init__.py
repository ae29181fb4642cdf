"""What a run holds: the engine's parts, and the two modules that lean on Dagster's private surface.

Kept empty: the webserver and the daemon import `dagster_storage` from here and need nothing of the engine.
"""
