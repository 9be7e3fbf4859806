"""Reaching Huawei: connections of a library, one deadline, sent or not sent told apart."""

from app.partner_center.transport.connection import Reply, Stream
from app.partner_center.transport.endpoint import USER_AGENT, Endpoint

__all__ = ["USER_AGENT", "Endpoint", "Reply", "Stream"]
