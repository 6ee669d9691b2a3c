"""A few runbooks of our own, and an index over them."""

from pathlib import Path

import pytest

from ingest.job import IngestSettings

CHECKOUT = """---
title: Checkout pods crash looping
services: [checkout]
alerts:
  - KubePodCrashLooping
environment: production
owner: team-payments
last_reviewed: 2026-10-01
runbook_url: https://wiki.example.com/x/CRASH
---
# Checkout pods crash looping

Containers restart again and again with growing back-off.

## Diagnosis

Look at the previous log:

```sh
# not a heading
kubectl -n payments logs deploy/checkout --previous
```

## Mitigation

1. Roll back the last deployment.
2. Check that the restarts stop.
"""

DISK = """# NodeFilesystemSpaceFillingUp

## Meaning

The filesystem of a node will be full within hours.

## Mitigation

Remove unused images and old journal files from the node.
"""

ETCD = """# Playbooks

## Alerts

### EtcdMembersDown

A member of the key value store is gone.

### EtcdNoLeader

The key value store has lost its quorum and elects no leader.
"""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "source"
    files = {"checkout/crash.md": CHECKOUT, "node/NodeFilesystemSpaceFillingUp.md": DISK}
    write(folder, {**files, "playbooks.md": ETCD})
    return folder


@pytest.fixture
def settings(source, tmp_path) -> IngestSettings:
    """Words only: quick, and needs no model."""
    return IngestSettings(source, tmp_path / "index", embedding="none")
