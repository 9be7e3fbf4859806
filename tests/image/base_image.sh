#!/bin/sh
# base_image.sh FILE NAME: a stand-in for the official Python image, made of Debian's packages,
# for machines that can reach a Debian mirror but no image registry.
#
# It has what the Dockerfile relies on: Debian 12, Python 3.11 as `python`, and pip. It differs in
# that Python is Debian's, in /usr/bin. FILE keeps the file system for the next time; NAME is the
# image in podman's storage.
set -eu

file=$1
name=$2

if [ ! -f "$file" ]; then
  # shellcheck disable=SC2016 - not the shell's variable
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
  # shellcheck disable=SC2016 - "$1" is for the hooks
  mmdebstrap --quiet --format=tar --variant=minbase \
    --include=ca-certificates,python3,python3-distutils,python3-pip-whl \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --customize-hook='rm "$1"/usr/lib/python3.11/EXTERNALLY-MANAGED' \
    --customize-hook='ln -s /usr/bin/python3 "$1"/usr/local/bin/python' \
    --customize-hook='chroot "$1" sh -c "cd /usr/share/python-wheels && PYTHONPATH=\$(ls pip-*.whl) python -m pip install --quiet --root-user-action ignore --no-index pip-*.whl"' \
    bookworm "$file.part" "$mirror"
  mv "$file.part" "$file"
fi
podman import --quiet --message "made of Debian packages" --change ENV=LANG=C.UTF-8 --change CMD=python3 \
  --change ENV=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$file" "$name"
