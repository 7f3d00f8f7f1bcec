# SPDX-License-Identifier: MIT
"""A kernel for the guest: vmlinux, an initramfs with one static program, and a disk with the modules.

The guest's root disk holds no kernel, so all kernels share it. Under emulation the kernel's own decompressor takes
seconds: vmlinux is cut out of vmlinuz here and booted directly (PVH), and the modules are decompressed.
"""

import re
import shutil
import subprocess
from pathlib import Path

from . import cache, packages
from .guest import compile_static
from .proc import run
from .say import Failure, step

# The name on the command line: the suite that has it.
SUITES = {"6.12": "trixie", "6.1": "bookworm", "7": "trixie-backports"}
DEFAULT = "6.12"

_INIT = packages.TREE / "vm" / "guest" / "init.c"
_BOOT_MODULES = ["virtio_pci", "virtio_blk", "virtio_console", "ext4"]
_UNUSED_MODULES = ["sound", "drivers/infiniband", "drivers/gpu", "drivers/media", "drivers/net/ethernet", "drivers/hv",
                   "drivers/xen", "fs/xfs", "fs/ocfs2", "fs/gfs2", "fs/ceph", "fs/nfs", "fs/nfsd", "fs/smb", "net/sunrpc"]
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_MODULES_IMAGE_SIZE = "384M"


def obtain(name):
    key = cache.key_of(name, SUITES[name], _INIT, Path(__file__))
    return cache.obtain(f"kernel-{name}", key, lambda out: _build(name, out))


def _build(name, out):
    with step(f"fetching the {name} kernel (once)"):
        suite = packages.Suite(out / "apt", SUITES[name])
        for deb in suite.download(sorted(_parts(suite, "linux-image-cloud-amd64"))):
            run("dpkg-deb", "-x", deb, out / "tree")
        modules, image = _arrange(out / "tree")
        (out / "vmlinux").write_bytes(_vmlinux(image.read_bytes()))
        _initramfs(out, modules)
        run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", modules.parent, out / "modules.raw",
            _MODULES_IMAGE_SIZE)
        (out / "release").write_text(modules.name)
        shutil.rmtree(out / "tree")
        shutil.rmtree(out / "apt")


def _parts(suite, package, wanted=r"linux-(image|base|binary|modules)-\d.*-cloud-amd64$"):
    """The packages that a kernel is split into: one up to 6.12, several from 7 on."""
    found = {package} if re.match(wanted, package) else set()
    for name in suite.depends(package):
        if re.match(wanted, name):
            found |= _parts(suite, name)
    return found


def _arrange(tree):
    """Decompressed modules under one folder, with their index; returns it and the kernel's image."""
    for old in tree.glob("lib/modules/*"):  # before the merge of /lib into /usr/lib
        shutil.copytree(old, tree / "usr/lib/modules" / old.name, dirs_exist_ok=True)
        shutil.rmtree(old)
    modules = next((tree / "usr/lib/modules").iterdir())
    images = [*tree.glob("boot/vmlinuz-*"), *modules.glob("vmlinuz")]
    if not images:
        raise Failure(f"no kernel image for {modules.name}")
    for folder in _UNUSED_MODULES:
        shutil.rmtree(modules / "kernel" / folder, ignore_errors=True)
    packed = [str(p) for p in modules.rglob("*.ko.xz")]
    if packed:
        run("xz", "-d", "-T2", *packed)
    image = images[0].rename(tree / "vmlinuz")
    shutil.rmtree(tree / "lib", ignore_errors=True)
    (tree / "lib").symlink_to("usr/lib")
    run("depmod", "-b", tree, modules.name)
    return modules, image


def _vmlinux(image):
    """The ELF kernel inside a zstd-compressed image. Of one compressed otherwise (6.1: lz4) the image itself, which
    boots as well, a second later."""
    at = image.find(_ZSTD_MAGIC)
    while at >= 0:
        # What follows the compressed stream makes zstd end with an error; the kernel is complete all the same.
        unpacked = subprocess.run(["zstd", "-dcq"], input=image[at:], capture_output=True).stdout
        if unpacked.startswith(b"\x7fELF"):
            return unpacked
        at = image.find(_ZSTD_MAGIC, at + 1)
    return image


def _initramfs(out, modules):
    root = out / "initramfs"
    (root / "modules").mkdir(parents=True)
    compile_static(root / "init", [_INIT])
    for number, module in enumerate(_in_order(modules)):
        shutil.copy(module, root / "modules" / f"{number:02}-{module.name}")
    run("sh", "-c", f"find . | cpio --quiet -o -H newc >'{out}/initrd'", cwd=root)
    shutil.rmtree(root)


def _in_order(modules):
    """The files of the boot's modules that are not built in, what they depend on first."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, rest = line.partition(":")
        needs[Path(file).stem.replace("-", "_")] = (file, rest.split())
    order = []

    def add(file):
        for dependency in reversed(needs[Path(file).stem.replace("-", "_")][1]):
            if dependency not in order:
                order.append(dependency)
        if file not in order:
            order.append(file)

    for name in _BOOT_MODULES:
        if name in needs:
            add(needs[name][0])
    return [modules / file for file in order]
