"""Mail: one narrow port, three transports, and the policy that decides who may be written to."""
