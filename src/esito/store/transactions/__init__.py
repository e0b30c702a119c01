"""What runs on a connection, in the writer's thread or in a reading one: plain functions, and nothing that waits.

A transaction takes the requests of several callers and returns a result, or the refusal, for each. A question reads.
None of it knows the event loop: that side is `store/sql_store`, which names no statement.
"""
