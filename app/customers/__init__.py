"""The domain of onboarding: from an e-mail address to a customer that may buy."""
