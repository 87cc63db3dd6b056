"""Mail: one narrow port, three transports, and the policy on who may be written to."""

#: The modules that other rooms may import, besides the package itself; the others are private.
DOOR = (
    "answering",
    "approval",
    "approval_form",
    "approved",
    "by_hand",
    "courier",
    "deliver",
    "doubts",
    "month_mail",
    "notices",
    "officers",
    "parts",
    "transports.open",
    "transports.port",
    "transports.previews",
    "try_out",
    "undelivered",
    "valve",
    "webhook",
    "why",
    "yearly",
)
