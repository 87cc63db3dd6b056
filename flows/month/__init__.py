"""One month, step by step, without Prefect."""
