"""A strict, stateful stand-in for Huawei Cloud's IAM, Partner Center and OBS."""

from .application import create_sandbox

__all__ = ["create_sandbox"]
