#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-module.sh OUT: builds the module with all warnings (W=1) and runs sparse over it, for every kernel whose
# headers are here. Any output is a failure.
set -u
if [ "${1:-}" = --sparse ]; then
	shift
	echo "$*" >>"$SPARSE_RUNS"
	exec sparse "$@"
fi

here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
out=$1
sources=$(ls "$top"/driver/*.c | wc -l)
count=0
failed=0
result() {
	count=$((count + 1))
	[ "$1" = 0 ] || failed=$((failed + 1))
	[ "$1" = 0 ] && echo "ok $count - $2" || echo "not ok $count - $2"
}

for kdir in /lib/modules/*/build; do
	[ -e "$kdir/Makefile" ] || continue
	mkdir -p "$out"
	SPARSE_RUNS=$out/sparse-runs
	export SPARSE_RUNS
	: >"$SPARSE_RUNS"
	# KBUILD_CHECKSRC: newer headers come without the script that would tell whether sparse is good enough.
	"$top/tools/dev/build-module" "$kdir" "$out" W=1 C=2 KBUILD_CHECKSRC=2 CHECK="$here/check-module.sh --sparse" \
		CF="-include $here/sparse.h" modules >"$out/output" 2>&1
	status=$?
	grep -v -e '^hearth.ko for' -e 'checker-valid.sh: ' -e 'C=2 specified, but' "$out/output" >"$out/words"
	release=${kdir%/build}
	[ $status = 0 ] && [ ! -s "$out/words" ]
	result $? "hearth.ko for ${release##*/} builds without a word of the compiler (W=1) or of sparse"
	[ $failed = 0 ] || sed 's/^/#   /' "$out/words"
	[ $failed = 0 ] || rm -rf "${out:?}/${release##*/}"
	[ "$(grep -c '[.]c$' "$SPARSE_RUNS")" -ge "$sources" ]
	result $? "sparse has looked at all $sources sources"
done
if [ $count = 0 ]; then
	echo "1..0 # SKIP no kernel headers here"
	exit 0
fi
echo "1..$count"
[ $failed = 0 ]
