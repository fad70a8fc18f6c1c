"""Which secrets flows may ask for, what they need of them, and how values are shown that may hold one."""
