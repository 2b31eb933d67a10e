#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-dkms.sh SOURCE VERSION: DKMS builds the module from SOURCE, which is what hearth-dkms installs in
# /usr/src/hearth-VERSION, for every kernel whose headers are here; and passes over, without failing, kernels that
# lack what the module needs. All of it in scratch folders. Prints TAP.
set -eu

source=$1 version=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
count=0
failed=0

# result STATUS TEXT: the output of what was tried is shown if it failed.
result()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		failed=$((failed + 1))
		echo "not ok $count - $2"
		sed 's/^/#   /' "$scratch/output" | tail -n 40
	fi
}

finish()
{
	echo "1..$count"
	[ $failed -eq 0 ]
	exit
}

command -v dkms >/dev/null 2>&1 || {
	echo "1..0 # SKIP dkms is not here"
	exit 0
}
mkdir -p "$scratch/tree" "$scratch/src" "$scratch/modules"
cp -r "$source" "$scratch/src/hearth-$version"

run_dkms()
{
	command=$1
	shift
	dkms "$command" -m hearth -v "$version" --dkmstree "$scratch/tree" --sourcetree "$scratch/src" \
		--installtree "$scratch/modules" "$@" >"$scratch/output" 2>&1
}

status=0
run_dkms add || status=$?
result $status "dkms takes the source"

for kdir in /lib/modules/*/build; do
	[ -e "$kdir/Makefile" ] || continue
	release=$(basename "$(dirname "$kdir")")
	status=0
	run_dkms build -k "$release" --kernelsourcedir "$kdir" --no-depmod || status=$?
	cat "$scratch/tree/hearth/$version/build/make.log" >>"$scratch/output" 2>/dev/null || true
	result $status "dkms builds for $release"
	status=0
	find "$scratch/tree/hearth/$version/$release" -name 'hearth.ko*' 2>/dev/null | grep -q . || status=1
	result $status "and hearth.ko is there"
done

# 77: passed over. First by the configuration, then by what the compiler says of the headers.
passed_over()
{
	status=0
	run_dkms build -k "$1" --kernelsourcedir "$scratch/$1" --no-depmod || status=$?
	[ $status -eq 77 ] && status=0 || status=1
	result $status "$2 is passed over"
}

mkdir -p "$scratch/cloud" "$scratch/old"
printf 'CONFIG_64BIT=y\n' >"$scratch/cloud/.config"
printf 'modules:\n\tfalse\n' >"$scratch/cloud/Makefile"
passed_over cloud "a kernel without DRM"

printf 'CONFIG_64BIT=y\nCONFIG_DRM=m\nCONFIG_DRM_ACCEL=y\n' >"$scratch/old/.config"
# It compiles what includes no header of DRM.
printf 'fits.o:\n\t! grep -q drm "$(M)/fits.c"\n' >"$scratch/old/Makefile"
passed_over old "a kernel without drm_gpuvm"

status=0
printf 'fits.o:\n\tfalse\n' >"$scratch/old/Makefile"
"$scratch/src/hearth-$version/kernel-fits" "$scratch/old" >"$scratch/output" 2>&1 || status=$?
result $status "headers that compile nothing are not passed over in silence"
finish
