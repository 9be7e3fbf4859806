"""The resources of the contract: one module for each."""
