"""The HTTP room: reads a call, asks the store or the lifecycle, answers in JSON or XML."""
