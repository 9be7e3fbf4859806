"""What a user would pick instead of the gateway, doing the same job."""
