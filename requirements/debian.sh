#!/bin/sh
# Install the Debian packages that some tests need, where this is Debian and we are root;
# anywhere else say which are missing. Those tests then say that they were skipped.
set -eu

list=$(dirname "$0")/debian.txt
if ! command -v dpkg-query >/dev/null; then
  echo "This is not Debian: some tests will be skipped. They need: $(tr '\n' ' ' <"$list")" >&2
  exit 0
fi
missing=
while read -r package; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done <"$list"
if [ -z "$missing" ]; then
  exit 0
elif [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 - a list of packages
  apt-get install -qq --no-install-recommends $missing >/dev/null
else
  echo "Some tests will be skipped. To run them: apt-get install --no-install-recommends$missing" >&2
fi
