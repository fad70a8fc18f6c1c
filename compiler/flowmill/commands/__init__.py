"""One file per verb of the command line, holding `command`; heavy imports happen inside the functions."""
