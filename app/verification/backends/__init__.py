"""The generations of Huawei's API that serve a verification."""
