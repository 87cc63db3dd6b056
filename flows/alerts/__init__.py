"""Turns a score into an alert that a director can act on: decides, publishes and renders it."""

#: The modules that other rooms may import, besides the package itself; the others are private.
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
    "look_first",
    "order",
    "publish",
    "region_page",
    "reports",
    "scorecard",
    "state",
    "together",
)
