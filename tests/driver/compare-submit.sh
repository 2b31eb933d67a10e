#!/bin/sh
# SPDX-License-Identifier: MIT
#
# compare-submit.sh BUILD SERIES PROGRAM: builds submit/hearth_submit.ko for the kernel SERIES and runs
# suite-submit-paths.sh with it. SUBMIT_BATCHES in the environment: how many batches each way (2000).
set -eu

build=$1 series=$2 program=$3
here=$(cd "$(dirname "$0")" && pwd)
release=$(basename "$(ls -d /usr/src/linux-headers-"$series".*-amd64 | sort -V | tail -n 1)" | sed 's/linux-headers-//')
module=$build/modules/$release/submit
mkdir -p "$module"
cp "$here"/submit/* "$module"/
make --no-print-directory -C "/usr/src/linux-headers-$release" M="$(cd "$module" && pwd)" modules >"$module/log" 2>&1 || {
	sed 's/^/# /' "$module/log"
	echo "Bail out! hearth_submit.ko does not build"
	exit 1
}
exec "$here/../vm/run-suite" --build "$build" --kernel "$series" --suite "$here/suite-submit-paths.sh" \
	--program "$program" --program "$module/hearth_submit.ko" --set "SUBMIT_BATCHES=${SUBMIT_BATCHES:-2000}"
