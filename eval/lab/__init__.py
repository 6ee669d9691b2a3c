"""Serves a world over the real protocols on loopback: Kubernetes API, Prometheus, PagerDuty."""
