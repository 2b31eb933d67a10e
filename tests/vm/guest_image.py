# SPDX-License-Identifier: MIT
"""What a guest boots from: the kernel, an initramfs, and a disk with the programs of the build.

Everything is made without privileges from the kernels and libraries of the machine (or tree) that runs this."""

import glob
import gzip
import lzma
import os
import re
import shutil
import stat
import subprocess

# The note by which QEMU boots a vmlinux: XEN_ELFNOTE_PHYS32_ENTRY (18) of owner "Xen" (CONFIG_PVH).
PVH_NOTE = re.compile(rb"\x04\0\0\0.\0\0\0\x12\0\0\0Xen\0", re.DOTALL)
BUSYBOX = "/usr/bin/busybox"
DEBUG_KERNEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/dev/debug-kernel")
# Loaded before the disk can be mounted; their dependencies come by themselves.
BOOT_MODULES = ["crc32c_generic", "libcrc32c", "virtio_blk", "erofs"]
# Other devices' drivers, for suites that share buffers with them, and what makes the kernel see errors of the bus.
PEER_MODULES = ["vgem", "aer_inject"]
# For the module's own tests, where the kernel has what runs them.
TEST_MODULES = ["kunit"]
# For a board without its driver.
VFIO_MODULES = ["vfio_iommu_type1", "vfio_pci"]


class ImageError(Exception):
    pass


class NoKernel(ImageError):
    pass


class Kernel:
    """An installed kernel: its release, the folder of its modules, its image."""

    def __init__(self, release, modules, image):
        self.release = release
        self.modules = modules
        self.image = image


def find_kernel(series):
    """The newest installed kernel of a series such as "6.12", or the one of tools/dev/debug-kernel for "debug"."""
    if series == "debug":
        done = subprocess.run([DEBUG_KERNEL, "--print"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        folder = done.stdout.decode().strip()
        if done.returncode or not folder:
            raise NoKernel("no debug kernel is built for this tree (make debug-kernel)")
        release = os.listdir(folder + "/lib/modules")[0]
        return Kernel(release, "%s/lib/modules/%s" % (folder, release), folder + "/vmlinuz")
    found = [os.path.basename(p) for p in glob.glob("/usr/lib/modules/%s.*" % series)]
    found = [r for r in found if os.path.exists("/usr/lib/modules/%s/kernel" % r)]
    if not found:
        raise NoKernel("no kernel of series %s in /usr/lib/modules" % series)
    release = sorted(found, key=lambda r: [int(n) for n in re.findall(r"\d+", r)])[-1]
    for path in ("/usr/lib/modules/%s/vmlinuz" % release, "/boot/vmlinuz-%s" % release):
        if os.path.exists(path):
            return Kernel(release, "/usr/lib/modules/%s" % release, path)
    raise NoKernel("no vmlinuz of kernel %s" % release)


def kernel_image(kernel, folder):
    """An uncompressed vmlinux, which boots faster than the bzImage, or the bzImage if it cannot be unpacked."""
    path = kernel.image
    out = os.path.join(folder, "vmlinux-" + kernel.release)
    if os.path.exists(out) and os.path.getmtime(out) >= os.path.getmtime(path):
        return out
    with open(path, "rb") as f:
        image = f.read()
    # Documentation/arch/x86/boot.rst: setup_sects at 0x1f1, payload_offset at 0x248, payload_length at 0x24c.
    start = (image[0x1f1] + 1) * 512 + int.from_bytes(image[0x248:0x24c], "little")
    payload = image[start:start + int.from_bytes(image[0x24c:0x250], "little")]
    try:
        if payload[:4] == b"\x28\xb5\x2f\xfd":
            # The payload is followed by its length: zstd reports that as an error after writing all.
            vmlinux = subprocess.run(["zstd", "-dcq"], input=payload[:-4], check=True,
                                     stdout=subprocess.PIPE).stdout
        elif payload[:6] == b"\xfd7zXZ\0":
            vmlinux = lzma.decompress(payload[:-4])
        elif payload[:2] == b"\x1f\x8b":
            # The length at its end is gzip's own.
            vmlinux = gzip.decompress(payload)
        else:
            return path
    except (subprocess.CalledProcessError, lzma.LZMAError, EOFError, OSError):
        return path
    if not PVH_NOTE.search(vmlinux):
        return path
    temporary = out + ".%d" % os.getpid()
    with open(temporary, "wb") as f:
        f.write(vmlinux)
    os.rename(temporary, out)
    return out


class Modules:
    """The modules of a kernel, in the order in which they must be loaded."""

    def __init__(self, folder):
        self.folder = folder
        self.paths = {}
        self.needs = {}
        with open(self.folder + "/modules.dep") as f:
            for line in f:
                path, needs = line.strip().split(":")
                self.paths[self.name(path)] = path
                self.needs[self.name(path)] = [self.name(n) for n in needs.split()]

    @staticmethod
    def name(path):
        return os.path.basename(path).split(".")[0].replace("-", "_")

    def closure(self, names):
        """Names with their dependencies, dependencies first; what is built in is left out."""
        order = []

        def add(name):
            name = name.replace("-", "_")
            if name in order or name not in self.paths:
                return
            for need in self.needs[name]:
                add(need)
            order.append(name)

        for name in names:
            add(name)
        return order

    def read(self, name):
        path = os.path.join(self.folder, self.paths[name])
        with open(path, "rb") as f:
            data = f.read()
        if path.endswith(".xz"):
            return lzma.decompress(data)
        if path.endswith(".zst"):
            return subprocess.run(["zstd", "-dcq"], input=data, check=True, stdout=subprocess.PIPE).stdout
        return data


def module_depends(path):
    out = subprocess.run(["modinfo", "-F", "depends", path], check=True, stdout=subprocess.PIPE).stdout
    return [n for n in out.decode().strip().split(",") if n]


class Cpio:
    """A newc archive, as the kernel unpacks it."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.inode = 0
        self.folders = set()

    def entry(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        name = name.encode() + b"\0"
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, device[0], device[1], len(name), 0]
        head = b"070701" + b"".join(b"%08X" % f for f in fields) + name
        self.file.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))

    def folder(self, name):
        parts = name.strip("/").split("/")
        for i in range(1, len(parts) + 1):
            part = "/".join(parts[:i])
            if part and part not in self.folders:
                self.folders.add(part)
                self.entry(part, stat.S_IFDIR | 0o755)

    def add(self, name, data, mode=0o644):
        self.folder(os.path.dirname(name))
        self.entry(name.strip("/"), stat.S_IFREG | mode, data)

    def close(self):
        self.entry("TRAILER!!!", 0)
        self.file.close()


def read(path):
    with open(path, "rb") as f:
        return f.read()


def make_initramfs(path, kernel, hearth_module, firmware, init):
    modules = Modules(kernel.modules)
    boot = modules.closure(BOOT_MODULES)
    needs = modules.closure(module_depends(hearth_module)) if hearth_module else []
    cpio = Cpio(path)
    for folder in ("dev", "proc", "sys", "mnt", "bin", "tmp"):
        cpio.folder(folder)
    cpio.entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    cpio.add("bin/busybox", read(BUSYBOX), 0o755)
    cpio.add("init", read(init), 0o755)
    peers = modules.closure(PEER_MODULES)
    vfio = modules.closure(VFIO_MODULES)
    tests = modules.closure(TEST_MODULES)
    for name in dict.fromkeys(boot + needs + peers + vfio + tests):
        cpio.add("modules/%s.ko" % name, modules.read(name))
    cpio.add("modules/boot", "".join(n + "\n" for n in boot).encode())
    cpio.add("modules/needs", "".join(n + "\n" for n in needs if n not in boot).encode())
    cpio.add("modules/vfio", "".join(n + "\n" for n in vfio if n not in boot).encode())
    cpio.add("modules/tests", "".join(n + "\n" for n in tests).encode())
    cpio.add("modules/peers", "".join(n + "\n" for n in peers if n not in boot).encode())
    if firmware:
        cpio.add("lib/firmware/hearth/hbi-rv64.bin", read(firmware))
    cpio.close()


def shared_libraries(path):
    """What the loader would map for a program or library, the loader included."""
    out = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    found = re.findall(r"(?:=> )?(/\S+) \(0x", out)
    missing = re.findall(r"(\S+) => not found", out)
    if missing:
        raise ImageError("%s needs %s, which is not there" % (path, ", ".join(missing)))
    return found


def is_elf(path):
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF"


def put(root, guest, host):
    """Copies a file, or a folder's files, and returns where they went."""
    target = os.path.join(root, guest.strip("/"))
    if os.path.isdir(host):
        done = []
        for name in sorted(os.listdir(host)):
            done += put(root, os.path.join(guest, name), os.path.join(host, name))
        return done
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(host, target)
    os.chmod(target, 0o755 if os.access(host, os.X_OK) else 0o644)
    return [target]


def make_disk(path, files, work):
    """An erofs image of files ({guest path: host path}) and of the libraries that they need."""
    root = os.path.join(work, "root")
    for folder in ("bin", "dev", "proc", "sys", "tmp", "run", "root", "etc", "var/tmp"):
        os.makedirs(os.path.join(root, folder))
    for name in ("lib", "lib64"):
        os.makedirs(os.path.join(root, "usr", name), exist_ok=True)
        os.symlink("usr/" + name, os.path.join(root, name))
    placed = put(root, "/bin/busybox", BUSYBOX)
    for guest, host in files.items():
        if not os.path.exists(host):
            raise ImageError("%s (for %s in the guest): no such file" % (host, guest))
        placed += put(root, guest, host)
    sources = [h for h in files.values() if os.path.isfile(h)]
    for host in files.values():
        if os.path.isdir(host):
            sources += [os.path.join(d, n) for d, _, names in os.walk(host) for n in names]
    libraries = set()
    for host in sources:
        if is_elf(host):
            libraries.update(shared_libraries(host))
    present = {os.path.basename(p) for p in placed}
    for library in sorted(libraries):
        # A library of the build lies where the caller put it, and is found by the loader's path.
        if os.path.basename(library) not in present:
            put(root, os.path.join("/usr", library.lstrip("/").removeprefix("usr/")), library)
    with open(os.path.join(root, "etc/passwd"), "w") as f:
        f.write("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n")
    subprocess.run(["mkfs.erofs", "--quiet", path, root], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(root)
