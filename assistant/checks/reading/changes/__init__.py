"""What was changed, by revisions, by writes, and by what people announced."""
