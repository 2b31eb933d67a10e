# SPDX-License-Identifier: MIT
# The driver's tests, in a guest with one board. Prints one TAP stream.
set -u
bin=/hearth/tests
count=0
failed=0

result() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		failed=$((failed + 1))
		echo "not ok $count - $2"
	fi
}

# Renumbers a program's results into this stream. A program that dies is one failure more.
run() {
	"$@" >/tmp/out 2>&1
	status=$?
	while IFS= read -r line; do
		case $line in
		"ok "*) count=$((count + 1)); echo "ok $count - ${1##*/}: ${line#ok * - }" ;;
		"not ok "*)
			count=$((count + 1)); failed=$((failed + 1))
			echo "not ok $count - ${1##*/}: ${line#not ok * - }" ;;
		1..*) ;;
		*) echo "# $line" ;;
		esac
	done </tmp/out
	if [ $status -gt 1 ]; then
		result $status "${1##*/} ended with status $status"
	fi
}

for name in $(cat /run/modules/needs); do
	insmod /run/modules/"$name".ko
done

for i in 1 2 3 4 5; do
	insmod /hearth/hearth.ko && [ -c /dev/accel/accel0 ] && rmmod hearth
	result $? "module loaded and unloaded, time $i"
done
insmod /hearth/hearth.ko
result $? "module loaded"

for test in ioctls memory vm queue fault process unplug; do
	[ $# -gt 0 ] && case " $* " in *" $test "*) ;; *) continue ;; esac
	run $bin/test_$test
done

if [ -x $bin/strace ]; then
	calls() {
		$bin/strace -f -c -o /tmp/strace $bin/submit_loop "$1" &&
			awk '$NF == "total" { print $4 }' /tmp/strace
	}
	few=$(calls 10)
	many=$(calls 500)
	echo "# system calls: $few for 10 batches, $many for 500"
	[ -n "$few" ] && [ "$few" = "$many" ]
	result $? "a batch takes no system call"
fi

rmmod hearth
result $? "module unloaded"
echo "1..$count"
[ $failed -eq 0 ]
