"""The blocks of commands in the documents that no test runs, each with the reason."""

from __future__ import annotations

NETWORK = "it downloads from the internet; the tests have what it would bring, pinned"
CLUSTER = "it needs a cluster; the tests of the chart render and judge what it installs"
SERVES = "it serves at fixed ports; tests/serving and the fixture `served` run what it runs"
DAY = "tests/docs/test_operators_day.py runs it with a stand-in for the cluster"
LONG = "a target of its own in CI, or too long for a test"

# The first line of each excluded block -> the reason.
BILL = "it needs a bill; test_downloads and test_reconciling do the same"
ONLY_PARSED = {
    "CONTRIBUTING.md: make unit": LONG,
    "README.md: make demo    # goes from an e-mail address to a customer that may buy, "
    "a line for each call": SERVES,
    "README.md: make unit    # the checks, and the tests that need only Python": LONG,
    "README.md: make image": CLUSTER,
    "README.md: helm install gateway ./helm --namespace partner --wait \\": CLUSTER,
    "docs/adding-an-operation.md: make openapi chart-files docs": "it writes to the tree; "
    "test_adding_an_operation does the first of it in a copy",
    'docs/billing.md: curl -f -H "Authorization: Bearer $KEY" -o lines.ndjson \\': BILL,
    'docs/billing.md: flask --app app billing reconcile 2026-10 --amount "Amount due"': BILL,
    "docs/operating.md: GATEWAY_CONFIG=config.yaml .venv/bin/gunicorn -c gunicorn.conf.py": SERVES,
    "docs/operators-day.md: kubectl create namespace partner": DAY,
    "docs/operators-day.md: helm upgrade gateway ./helm --namespace partner --values gateway.yaml "
    "\\": DAY,
    "docs/operators-day.md: kubectl --namespace partner logs "
    "job/gateway-partner-gateway-check": DAY,
    "docs/operators-day.md: kubectl --namespace partner create secret generic partner-key "
    "--from-file=access_key --from-file=secret_key \\": DAY,
    "docs/operators-day.md: kubectl --namespace partner port-forward "
    "deployment/gateway-partner-gateway 8080 &": DAY,
    "docs/operators-day.md: helm upgrade gateway ./helm --namespace partner --values gateway.yaml "
    "--wait": DAY,
    "docs/operators-day.md: kubectl --namespace partner logs --container gateway --since 24h "
    "--tail -1 --prefix \\": DAY,
    "docs/quickstart.md: make run": SERVES,
    "docs/quickstart.md: npm init --yes": NETWORK,
    "docs/quickstart.md: python3 -m venv venv": NETWORK,
    **{
        f"docs/{page}.md: kubectl --namespace partner exec deployment/gateway-partner-gateway "
        "--container gateway -- \\": DAY
        for page in ("operating", "operators-day", "runbook")
    },
    "docs/runbook.md: kubectl --namespace partner get pods --selector "
    "app.kubernetes.io/instance=gateway,app.kubernetes.io/component=gateway": CLUSTER,
    "docs/runbook.md: kubectl --namespace partner logs --container gateway --since 1h "
    "--tail 10000 --prefix \\": CLUSTER,
    "docs/security.md: make security": LONG,
    "docs/security.md: pip-audit --strict --require-hashes -r requirements/run.txt": NETWORK,
    "helm/README.md: helm install gateway ./helm --namespace partner --create-namespace "
    "--set sandbox.enabled=true": CLUSTER,
    "helm/README.md: kubectl create namespace partner": CLUSTER,
    "helm/README.md: kubectl --namespace partner logs job/gateway-partner-gateway-check": CLUSTER,
    "helm/README.md: kubectl get --raw /.well-known/openid-configuration": CLUSTER,
}
