"""When runs are started, and who is told of trouble. Sensors ask `delivery`, decide, and request; they do no work.

`due` decides; `outbox` and `inbox` are its two faces; `connections` keeps the partitions; `alerts` tells people.
"""
