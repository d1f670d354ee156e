#!/bin/sh
# Makes an image from the Debian package of this tree, with podman or buildah, from nothing: what is
# in it are the package, the libraries of this machine that Node.js needs, and a user.
# usage: build.sh [PACKAGE.deb [NAME]]; needs dpkg-deb, ldd, and podman or buildah. No root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=${2:-localhost/sluice}
package=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "$package" ]; then
  node "$here/../../dist/systemd/debian/main.js" --to "$work/package"
  package=$(ls "$work"/package/sluice_*.deb)
fi
root=$work/root
mkdir -p "$root"
dpkg-deb --extract "$package" "$root"
rm -rf "$root/lib" "$root/usr/share/man" "$root/usr/share/bash-completion" \
  "$root/usr/share/zsh" "$root/usr/share/fish"
node=$root/usr/lib/sluice/node
[ -x "$node" ] || { echo "$package has no Node.js: not the slim one" >&2; exit 1; }
# By their paths, so that the loader that the program names is where it looks.
ldd "$node" | tr '\t ' '\n\n' | grep '^/' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
mkdir -p "$root/etc" "$root/tmp"
printf 'root:x:0:0::/:\nsluice:x:10001:10001::/var/lib/sluice:\n' >"$root/etc/passwd"
printf 'root:x:0:\nsluice:x:10001:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
mkdir -p "$work/owned/run/sluice" "$work/owned/var/lib/sluice"
chmod 700 "$work/owned/run/sluice" "$work/owned/var/lib/sluice"
chmod 755 "$work/owned" "$work/owned/run" "$work/owned/var" "$work/owned/var/lib"
chmod -R a+rX "$root"
cp "$here/Containerfile" "$work/"
# A health check is part of this format only.
if command -v podman >/dev/null; then
  podman build --quiet --format docker --tag "$name" "$work"
else
  buildah build --quiet --format docker --tag "$name" "$work"
fi
