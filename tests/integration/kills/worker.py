"""The program of a worker that a test may kill: the product's own worker, with a failpoint that takes orders.

Takes a folder of orders, then what the product's own `worker` takes: the role and `--ready-file`.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from infra.settings import Settings
from infra.wiring.worker import run_role
from streams.flow import Role
from tests.integration.kills.orders import Orders


def killing_failpoint(orders: Orders, role: Role) -> Callable[[str], None]:
    """Notes each point, and kills where that is on order."""

    def failpoint(point: str) -> None:
        orders.note(role, point)
        order = orders.take(role, point)
        if order is not None:
            os.kill(order.victim or os.getpid(), signal.SIGKILL)

    return failpoint


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("orders", type=Path)
    parser.add_argument("role", type=Role)
    parser.add_argument("--ready-file", type=Path)
    given = parser.parse_args()
    failpoint = killing_failpoint(Orders(given.orders), given.role)
    return asyncio.run(
        run_role(given.role, Settings.from_environment(os.environ), given.ready_file, failpoint=failpoint)
    )


if __name__ == "__main__":
    sys.exit(main())
