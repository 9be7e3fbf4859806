"""The credentials of an account: key pairs, IAM tokens, and the signatures made with them."""
