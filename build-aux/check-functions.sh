#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# No function over 100 lines, no file over 1000, no banned call.
# usage: check-functions.sh [SOURCE-DIRECTORY]
cd "${1:-${FEDGATE_SRCDIR:-.}}" || exit 2
find core token directory policy hub sts bridges gateway ngx_module cli bench tests -name '*.[ch]' 2>/dev/null | sort | xargs awk '
FNR == 1 { inside = 0 }
FNR == 1001 { printf "%s: over 1000 lines\n", FILENAME; failed = 1 }
/^[a-zA-Z_].*[)] *{$/ || /^[a-zA-Z_].*[(].*,$/ || (/^ngx_/ && /[(]/) { if (!inside) { start = FNR; name = $0 } }
/^{$/ || /^[a-zA-Z_ \t].*[)] {$/ { if ($0 !~ /^[ \t]/) inside = 1 }
/^}/ {
    if (inside && FNR - start + 1 > 100) { printf "%s:%d: %d lines: %s\n", FILENAME, start, FNR - start + 1, name; failed = 1 }
    inside = 0
}
/(^|[^a-zA-Z0-9_])(strcpy|strcat|sprintf|gets|strtok|alloca|system|popen|rand|srand|localtime|gmtime|ctime)[ ]?[(]/ {
    printf "%s:%d: banned call: %s\n", FILENAME, FNR, $0; failed = 1
}
END { exit failed }
' || exit 1
echo "functions are short"
