"""The custom resources of the chart: `spec` of each kind as a closed JSON schema."""

from __future__ import annotations

from typing import Any

STRING = {"type": "string"}
STRINGS = {"type": "object", "additionalProperties": STRING}
DURATION = {"type": "string", "pattern": r"^([0-9]+(y|w|d|h|m|s|ms))+$"}


def closed(needed: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": False,
    }


def several(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": item}


RELABELING = closed(
    [],
    action={"enum": ["replace", "keep", "drop", "labelmap", "labeldrop", "labelkeep"]},
    sourceLabels=several(STRING),
    separator=STRING,
    regex=STRING,
    targetLabel=STRING,
    replacement=STRING,
)
RULE = closed(
    ["expr"],
    alert=STRING,
    record=STRING,
    expr=STRING,
    **{"for": DURATION},
    keep_firing_for=DURATION,
    labels=STRINGS,
    annotations=STRINGS,
)

# From the operators' own definitions: external-secrets.io/v1, monitoring.coreos.com/v1.
SPECS = {
    ("external-secrets.io/v1", "ExternalSecret"): closed(
        ["secretStoreRef"],
        refreshInterval=DURATION,
        secretStoreRef=closed(
            ["name"], name=STRING, kind={"enum": ["SecretStore", "ClusterSecretStore"]}
        ),
        target=closed([], name=STRING, creationPolicy={"enum": ["Owner", "Merge", "None"]}),
        data=several(
            closed(
                ["secretKey", "remoteRef"],
                secretKey=STRING,
                remoteRef=closed(["key"], key=STRING, property=STRING, version=STRING),
            )
        ),
    ),
    ("monitoring.coreos.com/v1", "ServiceMonitor"): closed(
        ["endpoints", "selector"],
        jobLabel=STRING,
        namespaceSelector=closed([], matchNames=several(STRING)),
        selector=closed([], matchLabels=STRINGS),
        endpoints=several(
            closed(
                [],
                port=STRING,
                path=STRING,
                interval=DURATION,
                scrapeTimeout=DURATION,
                relabelings=several(RELABELING),
                metricRelabelings=several(RELABELING),
            )
        ),
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): closed(
        [],
        groups=several(closed(["name"], name=STRING, interval=DURATION, rules=several(RULE))),
    ),
}
