#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes a page of the demo to standard output, in the look of the gateway's own pages.
# usage: make-index.sh BASE CA [PAGE]      BASE: https://localhost:8443   CA: the CA certificate's path   PAGE: index.html.in
[ $# -eq 2 ] || [ $# -eq 3 ] || { echo "usage: make-index.sh BASE CA [PAGE]" >&2; exit 2; }
folder=$(dirname "$0")
# for HTML, then for the right side of sed's s|||
quote() { printf '%s' "$1" | sed -e 's/&/\&amp;/g; s/</\&lt;/g' -e 's/[&|\\]/\\&/g'; }
sed -e "/^@STYLE@\$/{
r $folder/../pages/style.css
d
}" -e "s|@BASE@|$(quote "$1")|g; s|@CA@|$(quote "$2")|g; s|@SOURCE@|$(quote "$(cd "$folder/../.." && pwd)")|g" "$folder/${3:-index.html.in}"
