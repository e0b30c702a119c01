"""The HTTP API: reads a request, asks the store or the lifecycle, answers in JSON or XML."""
