"""What knows Prefect beside the flows: tasks, artifacts, faults, servers, schedules."""
