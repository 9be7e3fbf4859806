"""What the gateway does when Huawei, the network, Redis or a process of its own fails."""
