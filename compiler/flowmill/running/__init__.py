"""Running a plan, whatever carries it out: order, values, secrets, attempts, outcomes. Nothing here knows Prefect."""
