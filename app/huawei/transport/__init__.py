"""Reaching Huawei: connections of a library, one deadline, sent or not sent told apart."""

from app.huawei.transport.connection import Reply, Stream
from app.huawei.transport.endpoint import USER_AGENT, Endpoint

__all__ = ["USER_AGENT", "Endpoint", "Reply", "Stream"]
