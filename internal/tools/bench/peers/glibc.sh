#!/bin/sh
# Tailcall needs a newer C library than Debian 12 has. If Tailcall does not run, this script
# downloads Debian 13's C library from the machine's package mirror to a directory that only
# Tailcall uses.
set -eu
cd "$(dirname "$0")/node_modules"
program=./@tailcallhq/core-linux-x64-gnu/bin/tailcall
[ -x "$program" ] || exit 0
"$program" --version >/dev/null 2>&1 && exit 0
[ -e .glibc/ld-linux-x86-64.so.2 ] && exit 0
command -v apt-get >/dev/null || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mirror=$(apt-get indextargets --format '$(SITE)' | head -n 1)
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/state"
: >"$work/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
apt() {
	apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State="$work/state" \
		-o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" "$@"
}
apt update
(cd "$work" && apt download libc6 libgcc-s1)
for package in "$work"/*.deb; do
	dpkg-deb -x "$package" "$work/root"
done
mv "$work/root/usr/lib/x86_64-linux-gnu" .glibc
