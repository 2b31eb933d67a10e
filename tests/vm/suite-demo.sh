# SPDX-License-Identifier: MIT
# The main job, in the guest: the module takes the board, a model writes text on it, and the text is what the
# float64 reference writes. Exit status 0 only if all of that is so.
fail() {
	echo "demo: $*"
	exit 1
}

echo
echo "== The module finds the board"
while read -r module; do
	insmod "/run/modules/$module.ko" 2>/dev/null
done </run/modules/needs
insmod /hearth/hearth.ko || fail "hearth.ko does not load"
n=0
until [ -c /dev/accel/accel0 ]; do
	n=$((n + 1))
	[ $n -lt 300 ] || fail "no /dev/accel/accel0 within 30 s"
	usleep 100000
done
hearth-smi || fail "hearth-smi failed"
hearth-run --list || fail "hearth-run lists no device"

echo
echo "== A model writes on the board"
: >/tmp/report
{
	hearth-run --device 0 -m /test/model.gguf -n "$DEMO_TOKENS" -p "$DEMO_PROMPT" 2>/tmp/report
	echo $? >/tmp/status
} | tee /tmp/text &
run=$!
# The report goes to the reader as it grows, but not into the text.
tail -f /tmp/report 2>/dev/null &
tail=$!
wait $run
usleep 1200000
kill $tail
[ "$(cat /tmp/status)" = 0 ] || fail "hearth-run ended with status $(cat /tmp/status)"

echo
cmp /tmp/text /test/expected || {
	echo "the float64 reference writes:"
	cat /test/expected
	fail "the board's text differs"
}
echo "== The text is the float64 reference's, byte for byte"
rmmod hearth || fail "hearth.ko does not unload"
