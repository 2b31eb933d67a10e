# SPDX-License-Identifier: MIT
# The driver's tests on one board that behaves.
for n in 1 2 3 4; do
	load_driver || exit 1
	unload_driver
done
load_driver || exit 1
for program in ioctls memory vm queue fault process random unplug; do
	say "test-driver-$program"
	tap $program test-driver-$program
done

say "test-driver-smi"
tap smi test-driver-smi hearth-smi 1
say "test-driver-submit"
tap submit test-driver-submit
# system_calls BATCHES: how many system calls a program makes that submits so many and sleeps for none.
system_calls() {
	strace -f -c -o /tmp/strace test-driver-submit "$1" >/tmp/submit 2>&1 ||
		{ cat /tmp/submit >&2; return 1; }
	awk '$NF == "total" { print $4 }' /tmp/strace
}
few=$(system_calls 10)
many=$(system_calls 1000)
say "strace -f -c: $few system calls for 10 batches, $many for 1000"
check "a batch takes no system call" test "$few" -gt 0 -a "$few" -eq "$many"
unload_driver
