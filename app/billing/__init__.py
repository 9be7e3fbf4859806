"""The domain of billing: the partner's monthly bills."""
