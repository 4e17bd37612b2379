#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The module lacks nothing of ours (a source file that the Makefile forgot would show only when nginx loads it) and shows nginx only
# what it looks for.
# usage: check-module.sh, in the build folder
module=ngx_module/ngx_http_fedgate_module.so
[ -e "$module" ] || exit 77
missing=$(nm -u "$module" | grep -E ' fg_|ngx_http_fedgate')
[ -z "$missing" ] || { echo "not defined anywhere: $missing"; exit 1; }
shown=$(nm -D --defined-only "$module" | sed 's/.* //' | sort | tr '\n' ' ')
[ "$shown" = "ngx_module_names ngx_module_order ngx_modules " ] || { echo "visible: $shown"; exit 1; }
echo "the module is complete"
