"""The worlds, one file each: a healthy system, one trouble, some noise, and the answer."""
