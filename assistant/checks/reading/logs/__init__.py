"""What logs say: records, templates, and what they mean."""
