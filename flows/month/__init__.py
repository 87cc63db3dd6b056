"""One month, step by step, without Prefect."""

#: What other rooms may import, besides the room's own name; the rest is its own.
DOOR = (
    "apart",
    "inputs",
    "level",
    "measure",
    "portions",
    "published_returns",
    "restated",
    "score",
    "steps",
    "take_in",
    "training_data",
    "workers",
)
