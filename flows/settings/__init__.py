"""Everything a person may choose: settings, alert rules, addresses of published files, the run's form."""

#: What other rooms may import, besides the room's own name; the rest is its own.
DOOR = (
    "alert_rules",
    "answer_form",
    "filled",
    "published_sources",
    "refresh_form",
    "run_form",
    "settings",
)
