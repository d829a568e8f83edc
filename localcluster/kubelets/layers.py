"""The layers of the images of kubelet hosts, made without a container engine and kept in the cache.

Each image has the real kperf: one on Debian, as the published image, one on busybox, one without
a shell.
"""

import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from localcluster.console import print_line
from localcluster.errors import BuildFailedError

__all__ = ["build_layers"]

# What kperf's published image has and the runner script uses; apt adds what they depend on.
_DEBIAN_PACKAGES = ("base-files", "base-passwd", "bash", "coreutils", "dash", "gzip", "sed", "grep")
_LEFT_OUT = ("doc", "info", "lintian", "locale", "man")
_FOLDERS = ("bin", "config", "dev", "etc", "proc", "run", "sys", "tmp", "var")


def build_layers(folder: Path, bin_folder: Path, environ: Mapping[str, str]) -> dict[str, Path]:
    """Build the layers that the cache does not have.

    Args:
        folder: Of the cached layers.
        bin_folder: The built binaries.
        environ: This process's environment.

    Returns:
        The gzipped tar file of each layer: `debian`, `busybox`, `scratch` and `pause`.

    Raises:
        BuildFailedError: Debian's packages could not be downloaded or unpacked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # What is below kperf, and whether kperf is in it.
    recipes: dict[str, tuple[Callable[[Path], None], bool]] = {
        "debian": (lambda root: _debian(root, environ), True),
        "busybox": (_busybox, True),
        "scratch": (lambda _root: None, True),
        "pause": (_busybox, False),
    }
    # Another recipe makes other layers.
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    layers = {name: folder / f"{name}-{recipe}.tar.gz" for name in recipes}
    for name, target in layers.items():
        if target.exists():
            continue
        print_line(f"images: building the layer {name}")
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder) as scratch:
            root = Path(scratch) / "root"
            root.mkdir()
            fill, has_kperf = recipes[name]
            fill(root)
            if has_kperf:
                shutil.copy(bin_folder / "kperf", root / "kperf")
            layer = Path(scratch) / "layer.tar.gz"
            _pack(root, layer)
            layer.replace(target)
    return layers


def _busybox(root: Path) -> None:
    for name in _FOLDERS:
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    program = Path(shutil.which("busybox") or "/bin/busybox")
    shutil.copy(program, root / "bin" / "busybox")
    applets = _run([str(program), "--list"], root).split()
    for applet in set(applets) - {"busybox"}:
        (root / "bin" / applet).symlink_to("busybox")


def _debian(root: Path, environ: Mapping[str, str]) -> None:
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    packages = root.parent / "packages"
    packages.mkdir()
    # Listed by name, because `apt-get install` would leave out what this machine already has.
    kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    options = [f"--no-{kind}" for kind in kinds]
    listed = _run(["apt-cache", "depends", "--recurse", *options, *_DEBIAN_PACKAGES], packages)
    names = sorted(set(re.findall(r"^[a-z0-9][a-z0-9+.-]*$", listed, re.MULTILINE)))
    _run(["apt-get", "download", "--quiet", *names], packages, dict(environ))
    for package in sorted(packages.glob("*.deb")):
        # In two steps: tar keeps the links of the merged /usr, which dpkg-deb would replace.
        archive = packages / "files.tar"
        unpack = 'dpkg-deb --fsys-tarfile "$1" > "$2"'
        _run(["sh", "-c", unpack, "sh", str(package), str(archive)], packages)
        _run(["tar", "-x", "--keep-directory-symlink", "-f", str(archive), "-C", str(root)], root)
    for name in _LEFT_OUT:
        shutil.rmtree(root / "usr" / "share" / name, ignore_errors=True)
    shell = root / "usr" / "bin" / "sh"
    if not (shell.exists() or shell.is_symlink()):
        shell.symlink_to("dash")
    (root / "config").mkdir()


def _run(command: list[str], folder: Path, environ: dict[str, str] | None = None) -> str:
    result = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise BuildFailedError(
            f"`{' '.join(command[:3])} …` exited with code {result.returncode}: "
            f"{result.stderr.strip()[-1000:]}; if packages could not be downloaded, run "
            "`apt-get update` first"
        )
    return result.stdout


def _pack(root: Path, target: Path) -> None:
    """Write a layer whose files all belong to root, no matter who builds it."""

    def owned_by_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        return info

    with tarfile.open(target, "w:gz", compresslevel=1) as layer:
        for path in sorted(root.iterdir()):
            layer.add(path, arcname=path.name, filter=owned_by_root)
