"""Time: cron expressions, when they fire, clock changes, and the names of time zones."""
