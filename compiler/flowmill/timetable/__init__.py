"""When flows run, and how much runs at once: values only, nothing is printed here."""
