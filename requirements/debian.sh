#!/bin/sh
# Install the Debian packages that some tests need and do not find, where this is Debian and we are
# root; anywhere else say which are missing. Those tests then say that they were skipped.
# `debian.sh LIST`: each line of the list has a package, and its program or the path of a file of it.
set -eu

PATH=$PATH:/usr/sbin:/usr/libexec/podman
missing=
while read -r package program; do
  command -v "$program" >/dev/null || [ -e "/${program#/}" ] || missing="$missing $package"
done <"$1"

if [ -z "$missing" ]; then
  exit 0
elif command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 - a list of packages
  apt-get install -qq --no-install-recommends $missing >/dev/null
else
  echo "Some tests will be skipped. They need these packages:$missing" >&2
fi
