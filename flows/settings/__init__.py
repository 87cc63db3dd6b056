"""Everything that a person can choose: settings, alert rules, addresses of published files, the run's form."""

#: The modules that other rooms may import, besides the package itself; the others are private.
DOOR = (
    "alert_rules",
    "answer_form",
    "filled",
    "published_sources",
    "refresh_form",
    "run_form",
    "settings",
)
