#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-debs.sh FOLDER: installs the packages in FOLDER in a scratch root, looks whether what is there works and finds
# its own, and removes them. Packages of others that they depend on are not installed: their libraries are this
# machine's. Prints TAP.
set -eu

folder=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
count=0
failed=0

# check TEXT COMMAND…
check()
{
	text=$1
	shift
	count=$((count + 1))
	if "$@" >"$scratch/output" 2>&1; then
		echo "ok $count - $text"
	else
		failed=$((failed + 1))
		echo "not ok $count - $text"
		sed 's/^/#   /' "$scratch/output" | tail -n 30
	fi
}

in_dpkg()
{
	dpkg --root="$root" --force-not-root --force-script-chrootless --force-depends "$@"
}

mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers" "$root/var/log"
: >"$root/var/lib/dpkg/status"
check "the packages install" in_dpkg -i "$folder"/*.deb
all=$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Package} ${Status}\n' | sort)
for name in hearth-dkms hearth-firmware hearth-tools hearth-vulkan libhearth1 libhearth-dev; do
	check "$name is installed" sh -c 'echo "$1" | grep -qx "$2 install ok installed"' sh "$all" $name
done

# Files are where they belong, root's, and nobody else may write them.
check "nothing lies in /usr/local" sh -c '! test -e "$1/usr/local"' sh "$root"
check "nobody but root may write" sh -c 'test -z "$(find "$1/usr" ! -type l -perm /022)"' sh "$root"
check "no program names the folder it was built in" \
	sh -c '! grep -rl -e "$1" "$2/usr/bin" "$2/usr/lib"' sh "$(cd "$(dirname "$0")/../.." && pwd)/build" "$root"

lib=$(dirname "$(find "$root/usr/lib" -name 'libhearth.so.1')")
export LD_LIBRARY_PATH="$lib"
for tool in hearth-run hearth-smi hearth-bench hearth-cc; do
	check "$tool --help" "$root/usr/bin/$tool" --help
	check "$tool has a manual page" test -f "$root/usr/share/man/man1/$tool.1.gz"
done

# The loader finds the driver by the manifest's name and the library path, as it does in the installed system.
if command -v vulkaninfo >/dev/null 2>&1; then
	check "the Vulkan loader finds the driver" sh -c \
		'VK_DRIVER_FILES="$1/hearth-icd.json" vulkaninfo --summary >"$1/vulkaninfo" 2>&1
		grep -qi hearth "$1/vulkaninfo" || { cat "$1/vulkaninfo"; exit 1; }' \
		sh "$(sed "s,/usr/lib/,$root/usr/lib/," "$root"/usr/share/vulkan/icd.d/hearth_icd*.json \
			>"$scratch/hearth-icd.json" && echo "$scratch")"
else
	count=$((count + 1))
	echo "ok $count - the Vulkan loader finds the driver # SKIP no vulkaninfo here"
fi
check "the header compiles" sh -c \
	'echo "#include <hearth/hearth.h>" | cc -I"$1/usr/include" -x c -fsyntax-only -Wall -Werror -' sh "$root"

check "the packages are removed" in_dpkg --purge hearth-dkms hearth-firmware hearth-tools hearth-vulkan \
	libhearth-dev ggml-backend-hearth libhearth1
check "and nothing is left" sh -c 'test -z "$(find "$1/usr" -type f)" || { find "$1/usr" -type f; exit 1; }' sh "$root"
echo "1..$count"
[ $failed -eq 0 ]
