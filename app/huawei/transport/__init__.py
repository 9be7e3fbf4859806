"""HTTP to Huawei, issuers and webhooks by urllib3's connections: one deadline, no second try.

A failure before anything was sent is distinguished from a failure after that.
"""

from app.huawei.transport.connection import Reply, Stream
from app.huawei.transport.documents import Direct, reach
from app.huawei.transport.download import Download
from app.huawei.transport.endpoint import Endpoint

__all__ = ["Direct", "Download", "Endpoint", "Reply", "Stream", "reach"]
