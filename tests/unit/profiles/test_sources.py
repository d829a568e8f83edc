import errno
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError
from mrunners.profiles.sources import SOURCES, SourceContext
from mrunners.profiles.sources.configmap import ConfigMapSource
from mrunners.profiles.sources.file import FileSource

NO_CLUSTER = SourceContext()
KIB_512 = 512 * 1024


class FakeConfigMaps:
    def __init__(self, existing: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
        self.existing = existing
        self.requested: list[tuple[str, str]] = []

    def config_map_data(self, namespace: str, name: str) -> Mapping[str, str] | None:
        self.requested.append((namespace, name))
        return self.existing.get((namespace, name))


def file_problem(path: Path) -> str:
    with pytest.raises(InvalidInputError) as caught:
        FileSource().load(str(path), NO_CLUSTER)
    (problem,) = caught.value.problems
    return problem.removeprefix(f"cannot load {path}: ")


def config_map_problem(data: Mapping[str, str] | None) -> str:
    existing = {} if data is None else {("ns", "x"): data}
    with pytest.raises(InvalidInputError) as caught:
        ConfigMapSource().load("/ns/x", SourceContext(FakeConfigMaps(existing)))
    (problem,) = caught.value.problems
    return problem


def test_each_source_is_registered_under_its_scheme() -> None:
    assert {scheme: source.scheme for scheme, source in SOURCES.items()} == {
        "configmap": "configmap",
        "file": "file",
    }


def test_the_content_of_a_file_is_returned_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "load profile.yaml"
    content = b"\xff" * KIB_512
    path.write_bytes(content)
    assert FileSource().load(str(path), NO_CLUSTER) == content
    link = tmp_path / "link"
    link.symlink_to(path)
    assert FileSource().load(str(link), NO_CLUSTER) == content


def test_a_path_without_a_readable_file_is_explained(tmp_path: Path) -> None:
    assert file_problem(tmp_path / "none") == "the file does not exist"
    assert file_problem(tmp_path) == "it is a directory; name the profile's file"
    empty = tmp_path / "empty"
    empty.touch()
    assert file_problem(empty) == "the file is empty"
    assert file_problem(empty / "below") == (
        "the file does not exist: a part of its path is not a directory"
    )
    large = tmp_path / "large"
    large.write_bytes(b"x" * (KIB_512 + 1))
    assert file_problem(large) == "the file is larger than 512 KiB"
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert file_problem(loop) == "its path has too many symbolic links"
    assert file_problem(Path("/dev/null")) == "it is not a regular file"


@pytest.mark.timeout(10)
def test_a_fifo_without_a_writer_does_not_hang(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert file_problem(fifo) == "it is not a regular file"


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A socket's path must be short, so it is bound by its relative one.
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert file_problem(tmp_path / "s") == "it is a socket or a device, not a regular file"


def test_a_file_without_read_permission_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may read everything, so no file on disk could show this everywhere.
    def refuse(path: str, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)
    assert file_problem(Path("/secret")) == (
        "permission denied; make the file readable for the user that runs the flow"
    )


def test_a_file_path_must_not_end_in_a_slash() -> None:
    assert FileSource().path_problems("/a") == []
    assert FileSource().path_problems("/") == ["the path must name a file, not a directory"]


def test_the_well_known_key_or_the_only_key_of_a_config_map_is_read() -> None:
    for data in ({"load_profile.yaml": "é", "other": "x"}, {"only": "é"}):
        reader = FakeConfigMaps({("ns", "x.y"): data})
        content = ConfigMapSource().load("/ns/x.y", SourceContext(reader))
        assert (content, reader.requested) == ("é".encode(), [("ns", "x.y")])


def test_a_config_map_without_a_profile_is_explained() -> None:
    assert config_map_problem(None) == "ConfigMap ns/x does not exist"
    assert config_map_problem({}) == (
        "ConfigMap ns/x has no keys; store the profile under the key 'load_profile.yaml'"
    )
    assert config_map_problem({"b": "", "a": ""}) == (
        "ConfigMap ns/x has several keys (a, b), and none is 'load_profile.yaml'; "
        "rename the profile's key to that"
    )
    assert config_map_problem({"a": ""}) == "ConfigMap ns/x: the key 'a' is empty"
    assert config_map_problem({"a": "é" * KIB_512}) == (
        "ConfigMap ns/x: the key 'a' is larger than 512 KiB"
    )
    many = config_map_problem({f"k{number:02d}": "" for number in range(12)})
    assert "(k00, k01, k02, k03, k04, k05, k06, k07, k08, k09 and 2 more)" in many


def test_a_config_map_uri_needs_a_cluster() -> None:
    with pytest.raises(InvalidInputError, match="needs a cluster"):
        ConfigMapSource().load("/ns/x", NO_CLUSTER)


WRONG_FORM = ["the path must be /namespace/name: configmap:///namespace/name"]
LETTERS = "must consist of lowercase letters, digits"


@pytest.mark.parametrize(
    ("path", "problems"),
    [
        ("/ns/my.name-1", []),
        ("/ns", WRONG_FORM),
        ("/ns/", WRONG_FORM),
        ("//name", WRONG_FORM),
        ("/ns/name/", WRONG_FORM),
        ("/ns/name/key", WRONG_FORM),
        (
            "/My_NS/-x",
            [
                f"the namespace {LETTERS} and '-', and start and end with a letter or digit, "
                "got 'My_NS'",
                f"the ConfigMap's name {LETTERS}, '-' and '.', and each part between dots must "
                "start and end with a letter or digit, got '-x'",
            ],
        ),
        (
            f"/{'a' * 64}/{'b' * 254}",
            [
                "the namespace must be at most 63 characters long, is 64",
                "the ConfigMap's name must be at most 253 characters long, is 254",
            ],
        ),
    ],
)
def test_a_config_map_path_is_a_namespace_and_a_name(path: str, problems: list[str]) -> None:
    assert ConfigMapSource().path_problems(path) == problems
