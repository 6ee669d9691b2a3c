"""What objects say that more than one family reads: selectors, quantities, placement, addresses."""
