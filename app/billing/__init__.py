"""The domain of billing: the partner's bills, and the customers' orders and resources."""
