"""The conversation and its front ends."""
