#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes the demo's landing page to standard output, in the look of the gateway's own pages.
# usage: make-index.sh BASE CA      BASE: https://localhost:8443   CA: the CA certificate's path
[ $# -eq 2 ] || { echo "usage: make-index.sh BASE CA" >&2; exit 2; }
folder=$(dirname "$0")
# for HTML, then for the right side of sed's s|||
quote() { printf '%s' "$1" | sed -e 's/&/\&amp;/g; s/</\&lt;/g' -e 's/[&|\\]/\\&/g'; }
sed -e "/^@STYLE@\$/{
r $folder/../pages/style.css
d
}" -e "s|@BASE@|$(quote "$1")|g; s|@CA@|$(quote "$2")|g" "$folder/index.html.in"
