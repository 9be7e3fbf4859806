"""The adapter: all that acts on Huawei. Knows nothing of Flask, nor of any one resource."""
