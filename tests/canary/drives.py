"""Every drive of a gateway, in order."""

from __future__ import annotations

from tests.canary import door, huawei, routes

WELL = (
    routes.every_operation,
    routes.every_route,
    routes.unknown_events,
    routes.rejections,
    routes.spoiled_bodies,
    routes.repeated_keys,
    huawei.refusals,
    door.every_token,
    huawei.every_fault,
    huawei.rotations,
    huawei.every_code,
    door.hostile_requests,
    door.crashes,
    door.leaks,
)
WITHOUT_STATE = (routes.every_operation, routes.repeated_keys, routes.rejections)
