"""From the files of a workspace to a flow in one environment: layers, values, and every expression checked."""
