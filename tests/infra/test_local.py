"""The pure parts of the whole system on one machine."""

import socket
import stat
from pathlib import Path

import pytest

from infra.embedded.addresses import Addresses
from infra.embedded.errors import EmbeddedError
from infra.embedded.service import Service
from infra.local import Deployment, Running, _keep_deployment, environment_of, part_services, worker_service
from infra.settings import Settings
from streams.flow import Role

ADDRESSES = Addresses(
    kafka_bootstrap="127.0.0.1:19092",
    clickhouse_url="http://127.0.0.1:18123",
    clickhouse_user="chuser",
    clickhouse_password="chpassword",
    s3_endpoint="http://127.0.0.1:18333",
    s3_access_key="s3access",
    s3_secret_key="s3secret",
    s3_region="us-east-1",
)
DEPLOYMENT = Deployment(secret="s" * 64, admin_token="t" * 43, port=18080)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_of(ADDRESSES, DEPLOYMENT, tmp_path / "parts", tmp_path / "cache")


class TestEnvironment:
    """What the processes of a deployment are told."""

    def test_every_group_of_settings_can_be_read_from_it(self, environment: dict[str, str], tmp_path: Path) -> None:
        settings = Settings.from_environment(environment)
        assert settings.kafka.bootstrap == ADDRESSES.kafka_bootstrap
        clickhouse, s3 = settings.clickhouse, settings.s3
        assert (clickhouse.host, clickhouse.port, clickhouse.user) == ("127.0.0.1", 18123, "chuser")
        assert clickhouse.password == "chpassword"
        assert (s3.endpoint, s3.access_key, s3.secret_key) == ("127.0.0.1:18333", "s3access", "s3secret")
        assert settings.deployment.secret == DEPLOYMENT.secret.encode()
        assert settings.api.admin.token == DEPLOYMENT.admin_token
        assert settings.public_base == "http://127.0.0.1:18080"
        assert settings.data_dir == tmp_path / "parts"
        assert settings.cache_dir == tmp_path / "cache"
        assert settings.jobs.index.workers >= 1

    def test_nothing_in_it_is_of_another_program(self, environment: dict[str, str]) -> None:
        assert not [name for name in environment if not name.startswith("SPOTCLIP_")]


class TestServices:
    """The API and one worker of each role."""

    @pytest.fixture
    def services(self, environment: dict[str, str], tmp_path: Path) -> list[Service]:
        return list(part_services(environment, DEPLOYMENT.port, tmp_path))

    @pytest.fixture
    def workers(self, services: list[Service]) -> list[Service]:
        return [service for service in services if "worker" in service.argv]

    def test_there_is_one_of_each(self, services: list[Service], workers: list[Service]) -> None:
        roles = [service.argv[list(service.argv).index("worker") + 1] for service in workers]
        assert sorted(roles) == sorted(Role)
        assert len(services) == len(workers) + 1
        assert len({service.name for service in services}) == len(services)

    def test_each_is_told_the_whole_environment(self, services: list[Service], environment: dict[str, str]) -> None:
        for service in services:
            assert environment.items() <= service.env.items(), service.name

    def test_two_workers_of_a_role_share_neither_place_nor_name(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        pair = [worker_service(Role.LEDGER, environment, tmp_path, slot=slot) for slot in ("0", "1")]
        assert len({service.name for service in pair}) == 2
        assert len({service.argv[-1] for service in pair}) == 2, "one ready file for both"
        assert [Settings.from_environment(service.env).member_slot for service in pair] == ["0", "1"]

    def test_no_secret_stands_where_the_machine_shows_it(self, services: list[Service]) -> None:
        """Neither in a command line nor in a text for people."""
        for service in services:
            shown = repr(service) + " ".join(service.argv)
            for secret in (DEPLOYMENT.secret, DEPLOYMENT.admin_token, "chpassword", "s3secret"):
                assert secret not in shown, service.name

    def test_the_api_listens_on_loopback_alone(self, services: list[Service]) -> None:
        [api] = [service for service in services if "api" in service.argv]
        options = list(api.argv)
        assert api.ports == (DEPLOYMENT.port,)
        assert options[options.index("--host") + 1] == "127.0.0.1"
        assert options[options.index("--port") + 1] == str(DEPLOYMENT.port)

    def test_a_worker_is_ready_by_its_own_file_and_not_by_an_old_one(
        self, workers: list[Service], tmp_path: Path
    ) -> None:
        for worker in workers:
            options = list(worker.argv)
            ready_file = Path(options[options.index("--ready-file") + 1])
            assert not worker.ready()
            ready_file.touch()
            assert worker.ready()
            worker.before(tmp_path / "log")
            assert not worker.ready()


class TestDeployment:
    """What one data directory keeps for ever."""

    def test_secrets_are_made_once_and_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "deployment.json"
        first = _keep_deployment(path, None)
        assert _keep_deployment(path, None) == first
        assert len(first.secret) >= 64
        assert len(first.admin_token) >= 43

    def test_another_directory_has_other_secrets(self, tmp_path: Path) -> None:
        one, other = (_keep_deployment(tmp_path / name, None) for name in ("one.json", "other.json"))
        assert one.secret != other.secret
        assert one.admin_token != other.admin_token

    def test_only_the_owner_may_read_it(self, tmp_path: Path) -> None:
        """After the first start and after a later one."""
        path = tmp_path / "deployment.json"
        for _ in range(2):
            _keep_deployment(path, None)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_port_that_was_asked_for_is_kept_too(self, tmp_path: Path) -> None:
        path = tmp_path / "deployment.json"
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
        assert _keep_deployment(path, port).port == port
        assert _keep_deployment(path, None).port == port

    def test_a_port_that_is_taken_meanwhile_is_replaced_and_nothing_else(self, tmp_path: Path) -> None:
        path = tmp_path / "deployment.json"
        first = _keep_deployment(path, None)
        with socket.socket() as taker:
            taker.bind(("127.0.0.1", first.port))
            taker.listen()
            second = _keep_deployment(path, None)
        assert second.port != first.port
        assert (second.secret, second.admin_token) == (first.secret, first.admin_token)

    @pytest.mark.parametrize("content", [b"", b"{", b'{"secret":"s"}', b"\xff"])
    def test_one_that_cannot_be_read_is_never_overwritten(self, tmp_path: Path, content: bytes) -> None:
        """New secrets would change the address of every clip."""
        path = tmp_path / "deployment.json"
        path.write_bytes(content)
        with pytest.raises(EmbeddedError, match="move it away"):
            _keep_deployment(path, None)
        assert path.read_bytes() == content

    def test_secrets_do_not_show_in_texts(self) -> None:
        running = Running(url="http://127.0.0.1:1", admin_token=DEPLOYMENT.admin_token, pids={})
        shown = repr(DEPLOYMENT) + repr(running)
        assert DEPLOYMENT.secret not in shown
        assert DEPLOYMENT.admin_token not in shown
