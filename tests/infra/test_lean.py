"""A process loads what it runs: less memory, quicker starts, images of one role, and no decoder beside the keys."""

import subprocess
import sys

import pytest

DECODERS = {"av", "cv2", "dlib", "onnx", "onnxruntime"}
STORES = {"clickhouse_connect", "minio"}
SHELL = {"faust", "aiokafka"}
DOOR = {"litestar", "uvicorn"}


def loaded(*modules: str) -> set[str]:
    """The top-level packages that these modules bring into a fresh process."""
    code = f"import sys; import {', '.join(modules)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    ("modules", "needed", "absent"),
    [
        (["infra.cli.main"], set(), DECODERS | STORES | SHELL | DOOR | {"numpy", "confluent_kafka", "pydantic"}),
        (["infra.cli.searches", "infra.cli.videos"], {"httpx"}, DECODERS | STORES | SHELL | DOOR | {"numpy"}),
        (["infra.cli.api"], DOOR | {"minio", "confluent_kafka"}, DECODERS | SHELL | {"clickhouse_connect", "numpy"}),
        (["infra.cli.worker"], SHELL, DECODERS | STORES | DOOR | {"confluent_kafka"}),
        (["infra.cli.worker", "infra.wiring.stages"], SHELL | STORES, DECODERS | DOOR | {"confluent_kafka"}),
        (["streams.jobs"], set(), DECODERS | STORES | SHELL | DOOR),
    ],
    ids=["program", "client", "api", "ledger", "other roles", "child"],
)
def test_a_process_loads_what_it_runs(modules: list[str], needed: set[str], absent: set[str]) -> None:
    there = loaded(*modules)
    assert needed <= there
    assert there & absent == set()
