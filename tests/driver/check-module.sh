#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-module.sh OUT: for every kernel whose headers are here, the module builds without a word of the compiler at
# W=1, nor of sparse, which has looked at every source. Prints TAP.
if [ "$1" = --sparse ]; then
	shift
	echo "$*" >>"$SPARSE_RUNS"
	exec sparse "$@"
fi

here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
out=$1
count=0
failed=0
# KUnit's are for a kernel that has it.
sources=$(find "$top/driver" -name '*.c' ! -name '*_test.c' | wc -l)
mkdir -p "$out"
SPARSE_RUNS=$out/sparse-runs
export SPARSE_RUNS

# result TEXT: fails if $out/words has lines, and shows them.
result() {
	count=$((count + 1))
	if [ -s "$out/words" ]; then
		failed=$((failed + 1))
		echo "not ok $count - $1"
		sed 's/^/#   /' "$out/words" | tail -n 40
	else
		echo "ok $count - $1"
	fi
}

for kdir in /lib/modules/*/build; do
	[ -e "$kdir/Makefile" ] || continue
	release=$(basename "$(dirname "$kdir")")
	: >"$SPARSE_RUNS"
	set -- W=1
	if command -v sparse >/dev/null 2>&1; then
		# KBUILD_CHECKSRC: Debian's headers of some kernels lack the script that would tell whether
		# sparse is good enough; sparse.h makes it so.
		set -- "$@" C=2 KBUILD_CHECKSRC=2 CHECK="$here/check-module.sh --sparse" CF="-include $here/sparse.h"
	fi
	# From the beginning, for a file that is not compiled again does not warn again.
	rm -rf "${out:?}/$release"
	"$top/tools/dev/build-module" "$kdir" "$out" "$@" modules >"$out/output" 2>&1 || echo "status $?" >>"$out/output"
	grep -v -e '^hearth.ko for' -e 'checker-valid.sh: ' -e 'C=2 specified, but' -e '^  [A-Z]' "$out/output" >"$out/words"
	result "W=1, $release"
	if [ $# -gt 1 ]; then
		looked=$(grep -c '[.]c$' "$SPARSE_RUNS")
		: >"$out/words"
		[ "$looked" -ge "$sources" ] || echo "sparse looked at $looked of $sources sources" >"$out/words"
		result "sparse, $release"
	else
		count=$((count + 1))
		echo "ok $count - sparse, $release # SKIP sparse is not here"
	fi
	rm -rf "${out:?}/$release"
done
if [ $count -eq 0 ]; then
	echo "1..0 # SKIP no kernel headers here"
	exit 0
fi
echo "1..$count"
[ $failed -eq 0 ]
