"""The lab's Kubernetes API: reads only, over plain HTTP, from a world's objects and logs."""
