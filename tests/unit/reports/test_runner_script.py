"""The runner's script in real shells, with a fake kperf."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from mrunners.reports.frame import extract_report
from mrunners.reports.frame_lines import load_start
from mrunners.reports.outcomes import MissingReason, UnusableReportError
from mrunners.reports.part_script import part_command
from mrunners.reports.runner_script import ReportMode, runner_command
from tests.factories import ADDRESS, begin_line, end_line, framed_parts

# dash is Debian's sh; bash and busybox behave differently in `wait` and `trap`. Only those that are
# installed are tested; sh always is.
SHELLS = [
    pytest.param([name, *words], id=name)
    for name, *words in (["sh"], ["bash", "--posix"], ["busybox", "sh"])
    if shutil.which(name) is not None
]


TOOLS = ["base64", "cat", "fold", "gzip", "head", "mkfifo", "sha256sum", "sleep", "tail", "tr"]
TOOLS += ["wc"]


@dataclass
class Pod:
    """A directory where the script can run without root and without a container."""

    root: Path
    shell: list[str]

    def command(self, kperf: str) -> list[str]:
        # The fake kperf takes the path of its report from the option that the real one has.
        fake = self.root / "kperf"
        fake.write_text(
            "#!/bin/sh\nfor word; do case $word in --result=*) out=${word#--result=};; esac; done\n"
            + kperf
        )
        fake.chmod(0o755)
        (self.root / "tmp").mkdir(exist_ok=True)
        script = runner_command(ReportMode.FRAMED)[2]
        script = script.replace("/tmp/", f"{self.root}/tmp/").replace("/kperf", str(fake))
        return [*self.shell, "-c", script]

    def environment(self, **changes: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "MRUNNERS_RUN_ID": ADDRESS.run_id,
            "MRUNNERS_JOB": ADDRESS.job,
            "MRUNNERS_POD": ADDRESS.pod or "",
            "JOB_COMPLETION_INDEX": str(ADDRESS.index),
            "MRUNNERS_LOG_LIMIT_BYTES": "10485760",
            "POD_FOLDER": str(self.root),
            **changes,
        }

    def run(self, kperf: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.command(kperf),
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )

    def start(self, kperf: str, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self.command(kperf),
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 20
        while not (self.root / "tmp" / "ready").exists():
            assert time.monotonic() < deadline, "the fake kperf did not start"
            time.sleep(0.01)
        return process


@pytest.fixture(params=SHELLS)
def pod(request: pytest.FixtureRequest, tmp_path: Path) -> Pod:
    return Pod(tmp_path, request.param)


READY = ': > "${out%/*}/ready"\n'


def problem_of(log: bytes) -> tuple[MissingReason, str]:
    with pytest.raises(UnusableReportError) as caught:
        extract_report(log, ADDRESS)
    return caught.value.problem, caught.value.detail


def test_a_report_arrives_byte_for_byte(pod: Pod) -> None:
    done = pod.run("printf '{\"total\": 1}\\n' > $out; exit 0")
    assert (done.returncode, extract_report(done.stdout, ADDRESS)) == (0, b'{"total": 1}\n')


def test_the_frame_is_the_documented_one(pod: Pod) -> None:
    raw = b'{"total": 1}\n'
    done = pod.run("printf '{\"total\": 1}\\n' > $out")
    lines = done.stdout.split(b"\n")
    body = lines[3]
    assert lines == [b"", lines[1], begin_line(raw, body), body, end_line(raw), b""]
    assert re.fullmatch(rb"mrunners-load v1 pod=[a-z0-9-]+ started=\d{10}\.\d{6}", lines[1])


def test_kperf_is_given_its_config_and_raw_data(pod: Pod) -> None:
    done = pod.run('echo "$@" > $out')
    assert extract_report(done.stdout, ADDRESS).decode().split() == [
        "-v=0",
        "runner",
        "run",
        "--config=/config/load_profile.yaml",
        "--raw-data",
        f"--result={pod.root}/tmp/report.json",
    ]


def test_stderr_without_a_newline_does_not_touch_the_frame(pod: Pod) -> None:
    done = pod.run("printf 'W0102 slow' >&2; echo '{}' > $out")
    assert extract_report(done.stdout, ADDRESS) == b"{}\n"


NOISE = 'i=0; while [ $i -lt 20000 ]; do echo "W0102 slow $i" >&2; i=$((i + 1)); done\n'


def test_of_much_noise_the_end_is_in_the_log_and_all_of_it_before_the_frame(pod: Pod) -> None:
    done = pod.run(NOISE + "echo '{}' > $out")
    assert extract_report(done.stdout, ADDRESS) == b"{}\n"
    noise, _, _ = done.stdout.partition(b"\nmrunners-load")
    expected = b"".join(b"W0102 slow %d\n" % number for number in range(19_950, 20_000))
    assert noise == expected


def test_a_line_of_any_length_takes_no_more_of_the_log_than_is_kept_for_it(pod: Pod) -> None:
    done = pod.run("head -c 300000 /dev/zero | tr '\\0' x >&2; echo '{}' > $out")
    noise, _, _ = done.stdout.partition(b"\nmrunners-load")
    assert noise == b"x" * 16 * 1024


def test_nothing_is_written_to_stderr_which_a_node_reads_apart_from_stdout(pod: Pod) -> None:
    process = subprocess.run(
        pod.command(NOISE + "exit 3"),
        env=pod.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert process.stderr == b""
    assert problem_of(process.stdout) == (
        MissingReason.KPERF_FAILED,
        "exit 3: W0102 slow 19999",
    )


def test_a_process_that_kperf_leaves_behind_neither_holds_the_pod_nor_its_report(
    pod: Pod,
) -> None:
    process = pod.start("sleep 60 &\n" + READY + "echo '{}' > $out")
    log, _ = process.communicate(timeout=30)
    assert (process.returncode, extract_report(log, ADDRESS)) == (0, b"{}\n")


def test_a_process_that_kperf_leaves_behind_does_not_hide_why_it_failed(pod: Pod) -> None:
    process = pod.start("sleep 60 &\n" + READY + "echo 'dial tcp: connection refused' >&2; exit 3")
    log, _ = process.communicate(timeout=30)
    assert process.returncode == 3
    assert problem_of(log) == (MissingReason.KPERF_FAILED, "exit 3: dial tcp: connection refused")


def test_a_temporary_folder_that_cannot_be_written_to_costs_no_load(pod: Pod) -> None:
    command = pod.command("echo sent > ${out%/*}/load")
    (pod.root / "tmp" / "output.pipe").mkdir()
    done = subprocess.run(
        command, env=pod.environment(), capture_output=True, timeout=60, check=False
    )
    problem, detail = problem_of(done.stdout)
    assert problem is MissingReason.SCRIPT_FAILED
    assert detail.startswith("mkfifo-failed: ")
    assert detail.endswith("; no load was sent")
    assert not (pod.root / "tmp" / "load").exists()


def test_the_exit_code_is_kept_beside_a_report(pod: Pod) -> None:
    done = pod.run("echo '{}' > $out; exit 7")
    assert (done.returncode, extract_report(done.stdout, ADDRESS)) == (7, b"{}\n")


def test_a_missing_report_is_announced_with_the_exit_code(pod: Pod) -> None:
    done = pod.run("echo 'kperf: err' >&2; exit 1")
    assert done.returncode == 1
    assert problem_of(done.stdout) == (MissingReason.KPERF_FAILED, "exit 1: kperf: err")


def test_an_empty_result_file_is_no_report(pod: Pod) -> None:
    done = pod.run(": > $out; exit 0")
    assert done.returncode == 0
    assert problem_of(done.stdout) == (MissingReason.KPERF_FAILED, "exit 0")


def test_a_missing_kperf_is_announced(pod: Pod) -> None:
    command = pod.command("")
    (pod.root / "kperf").unlink()
    done = subprocess.run(
        command, env=pod.environment(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 127
    problem, detail = problem_of(done.stdout)
    assert problem is MissingReason.KPERF_FAILED
    assert detail.startswith("exit 127: ")
    assert detail.endswith(("not found", "No such file or directory"))


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_term_is_forwarded_and_kperfs_own_exit_code_is_kept(pod: Pod, sent: int) -> None:
    process = pod.start(
        "trap 'echo \"{}\" > $out; exit 9' TERM\n" + READY + "while :; do sleep 0.02; done"
    )
    process.send_signal(sent)
    log, _ = process.communicate(timeout=20)
    assert (process.returncode, extract_report(log, ADDRESS)) == (9, b"{}\n")


def test_a_kperf_killed_by_term_is_announced(pod: Pod) -> None:
    process = pod.start(READY + "exec sleep 60")
    process.send_signal(signal.SIGTERM)
    log, _ = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    # Some shells say so, others do not.
    assert problem_of(log) in [
        (MissingReason.KPERF_FAILED, detail) for detail in ("exit 143", "exit 143: Terminated")
    ]


def test_the_script_still_waits_for_a_kperf_that_ignores_two_terms(pod: Pod) -> None:
    process = pod.start(
        "n=0; trap 'n=$((n + 1)); echo $n >> ${out%/*}/terms' TERM\n"
        + READY
        + "while [ $n -lt 2 ]; do sleep 0.02; done; echo '{}' > $out; exit 3"
    )
    terms = pod.root / "tmp" / "terms"
    deadline = time.monotonic() + 20
    while not terms.exists():
        assert time.monotonic() < deadline
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    log, _ = process.communicate(timeout=20)
    assert (process.returncode, extract_report(log, ADDRESS)) == (3, b"{}\n")


def test_a_report_larger_than_the_nodes_log_is_announced_and_not_printed(pod: Pod) -> None:
    noise = pod.root / "noise"
    noise.write_bytes(random.Random(1).randbytes(100_000))
    done = pod.run(f"cat {noise} > $out; exit 0", MRUNNERS_LOG_LIMIT_BYTES="130000")
    problem, detail = problem_of(done.stdout)
    assert (done.returncode, problem) == (0, MissingReason.TOO_LARGE)
    assert "100000 bytes" in detail
    assert "keeps 130000" in detail
    assert len(done.stdout) < 1000


def test_a_report_of_many_lines_arrives(pod: Pod) -> None:
    rng = random.Random(2)
    raw = json.dumps([rng.random() for _ in range(40_000)]).encode()
    big = pod.root / "big"
    big.write_bytes(raw)
    done = pod.run(f"cat {big} > $out")
    assert max(map(len, done.stdout.split(b"\n"))) == 4000
    assert extract_report(done.stdout, ADDRESS) == raw


@pytest.mark.parametrize("size", range(2990, 3010, 3))
def test_a_body_that_ends_with_a_full_line_arrives(tmp_path: Path, size: int) -> None:
    pod = Pod(tmp_path, ["sh"])
    noise = tmp_path / "noise"
    noise.write_bytes(random.Random(size).randbytes(size - 28))
    done = pod.run(f"cat {noise} > $out")
    assert extract_report(done.stdout, ADDRESS) == noise.read_bytes()


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("shell", [["sh"], ["bash", "--posix"]], ids=["sh", "bash"])
def test_a_missing_tool_is_named(tmp_path: Path, shell: list[str], tool: str) -> None:
    # Not busybox: it finds its own applets without PATH, so none is ever missing.
    pod = Pod(tmp_path, shell)
    tools = pod.root / "bin"
    tools.mkdir()
    for name in {*TOOLS, "sh"} - {tool}:
        (tools / name).symlink_to(shutil.which(name) or "")
    command = pod.command("echo '{}' > $out; echo sent > ${out%/*}/load")
    command[0] = shutil.which(command[0]) or ""
    done = subprocess.run(
        command,
        env=pod.environment(PATH=str(tools)),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert problem_of(done.stdout) == (
        MissingReason.SCRIPT_FAILED,
        f"the image has no {tool}, so no load was sent: choose the plain report format",
    )
    assert not (pod.root / "tmp" / "load").exists()


# The fake kperf's report is the profile that it was given.
COPY = 'for word; do case $word in --config=*) cat "${word#--config=}" > "$out";; esac; done\n'


def started(log: bytes) -> float:
    """Return when the load began, in seconds since the epoch."""
    moment = load_start(log, ADDRESS.pod or "")
    assert moment is not None
    return moment.timestamp()


def with_profile(pod: Pod, kperf: str) -> list[str]:
    """Return the command of a pod that has a load profile."""
    (pod.root / "config").mkdir()
    (pod.root / "config" / "load_profile.yaml").write_text("version: 1\n\n")
    *words, script = pod.command(kperf)
    return [*words, script.replace("/config/", f"{pod.root}/config/")]


def test_the_load_begins_at_the_moment_that_is_set(pod: Pod) -> None:
    command = with_profile(pod, READY + COPY)
    moment = int(time.time()) + 2
    environment = pod.environment(MRUNNERS_START_AT=str(moment))
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    while not (ready := pod.root / "tmp" / "ready").exists():
        time.sleep(0.01)
    assert ready.stat().st_mtime < moment  # kperf has started before
    log, _ = process.communicate(timeout=30)
    assert extract_report(log, ADDRESS) == b"version: 1\n"
    assert started(log) > moment - 0.01  # a file's time is that of the last tick


def test_a_moment_that_has_passed_is_not_waited_for(pod: Pod) -> None:
    command = with_profile(pod, COPY)
    before = time.time()
    environment = pod.environment(MRUNNERS_START_AT=str(int(before) - 1))
    done = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    assert extract_report(done.stdout, ADDRESS) == b"version: 1\n"
    assert started(done.stdout) >= int(before)


NEVER = {"MRUNNERS_START_AT": "9999999999"}
PROFILE = '"${out%/*}/profile.pipe"'


def sleepers(pod: Pod) -> list[str]:
    """Return the processes that a pod's script has left."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (folder / "environ").read_bytes()
            if f"POD_FOLDER={pod.root}".encode() in environment.split(b"\0"):
                found.append((folder / "cmdline").read_text())
    return found


def require_nothing_left(pod: Pod) -> None:
    deadline = time.monotonic() + 20
    while left := sleepers(pod):
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.05)


def test_a_clock_that_is_behind_holds_no_pod_longer_than_the_delay(pod: Pod) -> None:
    command = with_profile(pod, COPY)
    begin = time.monotonic()
    environment = pod.environment(**NEVER, MRUNNERS_START_DELAY="1")
    done = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    assert extract_report(done.stdout, ADDRESS) == b"version: 1\n"
    assert time.monotonic() - begin >= 1


def test_a_clock_that_cannot_be_read_starts_no_load(tmp_path: Path) -> None:
    pod = Pod(tmp_path, [shutil.which("sh") or ""])
    (pod.root / "bin").mkdir()
    for name in (*TOOLS, "sh"):
        (pod.root / "bin" / name).symlink_to(shutil.which(name) or "")
    (pod.root / "bin" / "stat").write_text("#!/bin/sh\nexit 1\n")
    (pod.root / "bin" / "stat").chmod(0o755)
    command = "echo '{}' > $out; echo sent > ${out%/*}/load"
    done = pod.run(command, PATH=str(pod.root / "bin"), **NEVER)
    assert problem_of(done.stdout) == (
        MissingReason.SCRIPT_FAILED,
        "the image's stat does not tell times, so no load was sent: use no start delay",
    )
    assert not (pod.root / "tmp" / "load").exists()


def test_a_pod_that_waits_for_its_moment_ends_with_term_and_leaves_nothing(pod: Pod) -> None:
    # It waits in open(2) of its profile, as kperf does.
    process = pod.start(READY + "exec " + COPY.partition("cat ")[1] + PROFILE, **NEVER)
    process.send_signal(signal.SIGTERM)
    log, _ = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert problem_of(log)[0] is MissingReason.KPERF_FAILED
    require_nothing_left(pod)


def test_a_kperf_that_fails_before_the_moment_is_not_waited_for(pod: Pod) -> None:
    done = pod.run("echo 'unknown flag' >&2; exit 3", **NEVER)
    assert done.returncode == 3
    assert problem_of(done.stdout) == (MissingReason.KPERF_FAILED, "exit 3: unknown flag")
    require_nothing_left(pod)


def test_a_moment_takes_a_clock_with_fractions(tmp_path: Path) -> None:
    pod = Pod(tmp_path, [shutil.which("sh") or ""])
    (pod.root / "bin").mkdir()
    for name in (*TOOLS, "sh"):
        (pod.root / "bin" / name).symlink_to(shutil.which(name) or "")
    done = pod.run("echo '{}' > $out", PATH=str(pod.root / "bin"), **NEVER)
    assert problem_of(done.stdout)[1].startswith("the image has no stat, so no load was sent")
    # Without a moment it only tells when the load began.
    (pod.root / "tmp" / "output.pipe").unlink(missing_ok=True)
    (pod.root / "tmp" / "tail.pipe").unlink(missing_ok=True)
    done = pod.run("echo '{}' > $out", PATH=str(pod.root / "bin"))
    assert extract_report(done.stdout, ADDRESS) == b"{}\n"
    assert load_start(done.stdout, ADDRESS.pod or "") is None


def test_a_full_disk_is_announced(pod: Pod) -> None:
    command = pod.command("echo '{}' > $out; mkdir ${out%/*}/report.gz")
    done = subprocess.run(
        command, env=pod.environment(), capture_output=True, timeout=60, check=False
    )
    problem, detail = problem_of(done.stdout)
    assert problem is MissingReason.SCRIPT_FAILED
    assert detail.startswith("gzip-failed: ")
    assert detail.endswith("report.gz: Is a directory; kperf exited with 0")


def test_the_plain_mode_is_kperf_alone() -> None:
    assert runner_command(ReportMode.PLAIN) == [
        "/kperf",
        "-v=0",
        "runner",
        "run",
        "--config=/config/load_profile.yaml",
        "--raw-data",
    ]


@dataclass
class Sidecar:
    """A container of the same pod that prints a part of the report."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, pod: Pod, name: str) -> Sidecar:
        words = [word.replace("/tmp/", f"{pod.root}/tmp/") for word in part_command(name)]
        (pod.root / "tmp").mkdir(exist_ok=True)
        return cls(
            subprocess.Popen(
                [*pod.shell, *words[1:]], stdout=subprocess.PIPE, start_new_session=True
            )
        )

    def wait_until_ready(self, pipe: Path) -> Sidecar:
        deadline = time.monotonic() + 20
        while not pipe.is_fifo():
            assert time.monotonic() < deadline, "the sidecar did not make its pipe"
            time.sleep(0.01)
        return self

    def end(self) -> bytes:
        """End it as a kubelet does once the runner has ended; return its log."""
        assert self.process.poll() is None, "it would have been started again"
        self.process.send_signal(signal.SIGTERM)
        log, _ = self.process.communicate(timeout=20)
        assert self.process.returncode == 0
        return log


def sidecars_of(pod: Pod, *numbers: int) -> list[Sidecar]:
    names = [f"report-{number}" for number in numbers]
    started = [Sidecar.start(pod, name) for name in names]
    for sidecar, name in zip(started, names, strict=True):
        sidecar.wait_until_ready(pod.root / "tmp" / f"{name}.pipe")
    return started


def noise_of(pod: Pod, size: int) -> Path:
    path = pod.root / "noise"
    path.write_bytes(random.Random(size).randbytes(size))
    return path


# Room for 10 lines of a frame's body.
SMALL = {"MRUNNERS_LOG_LIMIT_BYTES": str(25_480 + 10 * 4_100), "MRUNNERS_REPORT_LOGS": "4"}


@pytest.mark.parametrize("size", [40_000, 59_000, 88_000, 119_900])
def test_a_report_that_is_too_large_for_one_log_arrives_in_parts(pod: Pod, size: int) -> None:
    noise = noise_of(pod, size)
    sidecars = sidecars_of(pod, 2, 3, 4)
    done = pod.run(f"cat {noise} > $out; exit 7", **SMALL)
    logs = [done.stdout, *(sidecar.end() for sidecar in sidecars)]
    assert done.returncode == 7
    assert extract_report(logs[0], ADDRESS, lambda number: logs[number - 1]) == noise.read_bytes()
    parts = int(logs[0].split(b" part=1/")[1].split()[0])
    assert parts == -(-(-(-size // 3) * 4) // 40_000)
    assert [bool(log) for log in logs] == [number < parts for number in range(4)]
    for log in logs:
        assert len(log) + 100 * log.count(b"\n") <= int(SMALL["MRUNNERS_LOG_LIMIT_BYTES"])


def test_the_frames_of_parts_are_the_documented_ones(pod: Pod) -> None:
    noise = noise_of(pod, 40_000)
    sidecars = sidecars_of(pod, 2, 3, 4)
    log = pod.run(f"cat {noise} > $out", **SMALL).stdout
    logs = [re.sub(rb"^\nmrunners-load [^\n]*", b"", log), sidecars[0].end()]
    assert [sidecar.end() for sidecar in sidecars[1:]] == [b"", b""]
    bodies = [b"".join(log.split(b"\n")[2:-2]) for log in logs]
    assert logs == framed_parts(noise.read_bytes(), *bodies)


def test_a_report_that_fits_into_one_log_is_in_one_and_the_sidecars_print_nothing(
    pod: Pod,
) -> None:
    sidecars = sidecars_of(pod, 2, 3, 4)
    done = pod.run("echo '{}' > $out", **SMALL)
    assert done.stdout.split(b"\n")[2] == begin_line(b"{}\n", done.stdout.split(b"\n")[3])
    assert [sidecar.end() for sidecar in sidecars] == [b"", b"", b""]


def test_a_report_that_is_too_large_for_all_logs_is_announced_and_not_printed(pod: Pod) -> None:
    noise = noise_of(pod, 121_000)
    sidecars = sidecars_of(pod, 2, 3, 4)
    done = pod.run(f"cat {noise} > $out", **SMALL)
    problem, detail = problem_of(done.stdout)
    assert problem is MissingReason.TOO_LARGE
    assert "the node keeps 66480 in each of 4 logs" in detail
    assert [sidecar.end() for sidecar in sidecars] == [b"", b"", b""]


def test_a_sidecar_that_is_gone_does_not_hold_the_runner_and_its_part_is_named(pod: Pod) -> None:
    noise = noise_of(pod, 59_000)
    (sidecar,) = sidecars_of(pod, 3)
    command = [word.replace("sleep 60", "sleep 1") for word in pod.command(f"cat {noise} > $out")]
    assert "sleep 1;" in command[-1]
    done = subprocess.run(
        command, env=pod.environment(**SMALL), stdout=subprocess.PIPE, timeout=60, check=False
    )
    logs = {2: b"", 3: sidecar.end()}
    assert done.returncode == 0
    with pytest.raises(UnusableReportError, match=r"^truncated: part 2 of 2: "):
        extract_report(done.stdout, ADDRESS, logs.__getitem__)


def test_a_sidecar_that_is_started_again_prints_its_part(pod: Pod) -> None:
    noise = noise_of(pod, 40_000)
    (killed,) = sidecars_of(pod, 2)
    # With its children, as when a container ends.
    os.killpg(killed.process.pid, signal.SIGKILL)
    killed.process.communicate(timeout=20)
    sidecars = sidecars_of(pod, 2, 3, 4)
    logs = [pod.run(f"cat {noise} > $out", **SMALL).stdout, *(s.end() for s in sidecars)]
    assert extract_report(logs[0], ADDRESS, lambda number: logs[number - 1]) == noise.read_bytes()
