#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-packages.sh FOLDER: makes the Debian packages in FOLDER and tests them: test-debs.sh, test-dkms.sh, lintian.
# Prints TAP.
set -u

here=$(cd "$(dirname "$0")" && pwd)
packaging=$here/../../packaging
out=$1
for tool in dpkg-deb dpkg-architecture meson; do
	command -v $tool >/dev/null 2>&1 || {
		echo "1..0 # SKIP $tool is not here"
		exit 0
	}
done
rm -rf "${out:?}/packages" "$out/module"
mkdir -p "$out/packages"
(
	if "$packaging/build-tree" "$out/tree" && "$packaging/make-deb" "$out/tree" "$out/packages"; then
		echo "ok - the packages are made"
	else
		echo "not ok - the packages are made"
	fi
	"$here/test-debs.sh" "$out/packages"
	dpkg-deb -x "$out"/packages/hearth-dkms_*.deb "$out/module"
	for source in "$out"/module/usr/src/hearth-*; do
		"$here/test-dkms.sh" "$source" "${source##*/hearth-}"
	done
	if command -v lintian >/dev/null 2>&1; then
		# Names of tags that lintian reports as errors or warnings, less those that packaging/lintian-known explains.
		DEB_VENDOR=Debian lintian --profile debian --tag-display-limit 0 --allow-root "$out"/packages/*.deb >"$out/lintian" 2>&1
		if grep '^[EW]: ' "$out/lintian" | grep -v -F -f "$packaging/lintian-known"; then
			echo "not ok - lintian has nothing to say"
		else
			echo "ok - lintian has nothing to say"
		fi
	else
		echo "ok - lintian has nothing to say # SKIP lintian is not here"
	fi
) 2>&1 | awk '
	/^1\.\.0/ { print "ok " ++n " - skipped # SKIP " $0; next }
	/^1\.\./ { next }
	/^(not )?ok/ { bad += /^not/; line = $0; sub(/ok *[0-9]* */, "ok " ++n " ", line); print line; next }
	{ print "# " $0 }
	END { print "1.." n; exit (bad > 0) }'
