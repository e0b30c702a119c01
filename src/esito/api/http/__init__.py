"""HTTP itself: finding the endpoint, keys, requests, responses, error replies, documentation."""
