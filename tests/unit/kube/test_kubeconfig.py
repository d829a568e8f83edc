from pathlib import Path

import pytest
import yaml

from mrunners.errors import InvalidInputError
from mrunners.kube.client import KubernetesCluster
from tests.fakes import Raw

GOOD: Raw = {
    "current-context": "here",
    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    "clusters": [{"name": "here", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {"token": "t"}}],
}


def problem(kubeconfig: str) -> str:
    with pytest.raises(InvalidInputError) as caught:
        KubernetesCluster(kubeconfig, warn=print)
    (line,) = caught.value.problems
    return line


def test_a_missing_file_is_invalid(tmp_path: Path) -> None:
    assert problem(f"{tmp_path}/none") == f"kubeconfig {tmp_path}/none: no such file"


@pytest.mark.parametrize(
    "content",
    [
        "a: [",
        "",
        "words",
        "[]",
        "{}",
        yaml.safe_dump({**GOOD, "current-context": ""}),
        yaml.safe_dump({key: value for key, value in GOOD.items() if key != "current-context"}),
        yaml.safe_dump({**GOOD, "current-context": "elsewhere"}),
        yaml.safe_dump({**GOOD, "clusters": None}),
        yaml.safe_dump({**GOOD, "clusters": "x"}),
        yaml.safe_dump({**GOOD, "clusters": [{"name": "here"}]}),
        yaml.safe_dump({**GOOD, "contexts": [{"name": "here", "context": {"cluster": "other"}}]}),
        "\x00",
    ],
)
def test_the_error_about_a_broken_file_is_one_line_that_names_it(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    line = problem(str(path))
    assert line.startswith(f"kubeconfig {path}: ")
    assert "\n" not in line


def test_a_file_that_is_not_text_is_invalid(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"\xff\xfe\xff")
    assert problem(str(path)).startswith(f"kubeconfig {path}: ")


def test_having_no_kubeconfig_at_all_is_invalid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "give the path of another one" in problem("")


def test_nothing_is_sent_before_the_first_call(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(GOOD))
    assert KubernetesCluster(str(path), warn=print).requests == 0


def test_a_context_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(GOOD))
    with pytest.raises(InvalidInputError) as caught:
        KubernetesCluster(str(path), "staging", warn=print)
    assert str(caught.value) == (
        f"context 'staging' does not exist in kubeconfig {path}; list the contexts with: "
        "kubectl config get-contexts"
    )
