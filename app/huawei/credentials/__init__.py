"""What the gateway proves itself to Huawei with."""
