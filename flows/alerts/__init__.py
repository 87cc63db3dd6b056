"""From a score to an alert a director can act on: decide, publish, render, send, and keep account of it."""

#: What other rooms may import, besides the room's own name; the rest is its own.
DOOR = (
    "alert",
    "answers",
    "council",
    "council_month",
    "decide",
    "disclosure",
    "drift",
    "facts",
    "files",
    "letter.compose",
    "letter.figures",
    "letter.letter",
    "letter.render",
    "letter.sparkline",
    "order",
    "publish",
    "region_page",
    "reports",
    "scorecard",
    "state",
)
