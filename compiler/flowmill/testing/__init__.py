"""Tests of flows beside their specs: read, checked against the flow, and run without Prefect or anything outside."""
