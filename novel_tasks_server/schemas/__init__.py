"""What the API reads and writes.

Requests are attrs classes, decoded by cattrs: unknown fields are refused, and every fault is named by
its JSON pointer. Answers are attrs classes too, encoded by msgspec; their fields are the wire contract.
"""
