# SPDX-License-Identifier: MIT
# What a suite, which is a shell script run in the guest, may call. Its output is TAP; run-suite numbers the
# results, so that several programs that each print their own TAP make up one suite. Programs named to run-suite
# lie in /test, what the project installs in its place under /usr/local, and GUEST_BOARDS and GUEST_IOMMU are set.
# A suite that does not reach its last line has failed.

# say TEXT…: tells the reader what is being done.
say() { echo "#@say $(cut -d. -f1 /proc/uptime) s: $*"; }

# tap NAME COMMAND…: COMMAND prints TAP; each of its results appears as "NAME: …".
tap() {
	tap_name=$1
	shift
	echo "#@begin $tap_name"
	"$@"
	echo "#@end $?"
}

# check TEXT COMMAND…: one result, passed if COMMAND succeeds; its output is shown if it does not.
check() {
	check_name=$1
	shift
	if "$@" >/tmp/check-output 2>&1; then
		echo "ok - $check_name"
	else
		check_status=$?
		echo "not ok - $check_name"
		sed 's/^/#   /' /tmp/check-output
		echo "#   status $check_status of: $*"
		return 1
	fi
}

# skip TEXT REASON
skip() { echo "ok - $1 # SKIP $2"; }

# The board's driver. load_driver waits for the device node; each prints a result of its own.
load_driver() {
	while read -r module; do
		insmod "/run/modules/$module.ko" 2>/dev/null
	done </run/modules/needs
	check "hearth.ko loads" insmod /hearth/hearth.ko "$@" || return 1
	wait_for "/dev/accel/accel0 appears" test -c /dev/accel/accel0
}

# Other devices that buffers can be shared with.
load_peers() {
	while read -r module; do
		insmod "/run/modules/$module.ko" 2>/dev/null
	done </run/modules/peers
}

# The kernel's way for programs to drive a PCI function themselves.
load_vfio() {
	while read -r module; do
		insmod "/run/modules/$module.ko" 2>/dev/null
	done </run/modules/vfio
}

unload_driver() {
	check "hearth.ko unloads" rmmod hearth
}

# wait_for TEXT COMMAND…: one result, passed as soon as COMMAND succeeds, failed after $wait_seconds.
wait_seconds=60
wait_for() {
	wait_name=$1
	shift
	wait_n=0
	until "$@"; do
		if [ $wait_n -ge $((wait_seconds * 10)) ]; then
			echo "not ok - $wait_name (not within $wait_seconds s)"
			return 1
		fi
		usleep 100000
		wait_n=$((wait_n + 1))
	done
	echo "ok - $wait_name"
}

# leaks: what a kernel that looks for such mistakes has found, once the suite is over; run-suite calls it. A block counts
# as lost when two scans find nothing that points to it, and none younger than 5 s does. The first scan is made with the
# module still there, if the suite has left it, the others without.
leaks() {
	[ ! -e /proc/lockdep_stats ] || check "lockdep has not given up" grep -q 'debug_locks: *1' /proc/lockdep_stats
	kmemleak=/sys/kernel/debug/kmemleak
	[ -e $kmemleak ] || return 0
	say "scanning for lost memory"
	sleep 5
	echo scan >$kmemleak
	if grep -q '^hearth ' /proc/modules; then
		unload_driver
		sleep 5
	fi
	echo scan >$kmemleak
	echo scan >$kmemleak
	check "kmemleak finds no lost memory" sh -c "cat $kmemleak && [ -z \"\$(cat $kmemleak)\" ]"
}
