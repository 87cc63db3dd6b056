"""The steps of one month as plain functions, without Prefect."""

#: The modules that other rooms may import, besides the package itself; the others are private.
DOOR = (
    "apart",
    "count",
    "edition",
    "groups",
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
