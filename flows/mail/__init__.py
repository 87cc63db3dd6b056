"""Mail: one narrow port, three transports, and the policy that decides who may be written to."""

#: What other rooms may import, besides the room's own name; the rest is its own.
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
    "webhook",
    "why",
)
