"""The event loop's side of the store: each call hands a transaction to the writer, or a question to who reads.

What is handed over stands in `store/transactions`, and so does every statement's name.
"""
