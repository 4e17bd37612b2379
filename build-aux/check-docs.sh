#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the code takes is documented, and what is documented the code takes: options,
# directives, variables, commands.
# usage: check-docs.sh [SOURCE-DIRECTORY]
cd "${1:-${FEDGATE_SRCDIR:-.}}" || exit 2
export LC_ALL=C
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
failed=0

# same WHAT CODE-LIST DOCUMENT-LIST DOCUMENT: the lists are files, sorted here
same() {
    sort -u "$folder/$2" >"$folder/code" && sort -u "$folder/$3" >"$folder/document"
    [ -s "$folder/code" ] || { echo "no $1 found in the code: this check no longer reads it"; failed=1; }
    comm -23 "$folder/code" "$folder/document" | sed "s|^|$4 lacks the $1: |" >"$folder/wrong"
    comm -13 "$folder/code" "$folder/document" | sed "s|^|$4 has an unknown $1: |" >>"$folder/wrong"
    [ ! -s "$folder/wrong" ] || { cat "$folder/wrong"; failed=1; }
}

# ---- options, as SECTION.OPTION; outside sections .OPTION; with defaults, as SECTION.OPTION = DEFAULT

awk -F'"' '
/^static const fg_config_option_t [a-z_]*_options/ {
    section = $0; sub(/^.*option_t /, "", section); sub(/_options.*/, "", section)
}
/^    ROW\(/ {
    name = (section == "root" ? "" : section) "." $2
    n = split($0, part, ", "); fallback = part[n]; sub(/\),$/, "", fallback); gsub(/"/, "", fallback)
    if (part[n - 1] != "NULL") fallback = "required"
    if (fallback == "FG_STATE_DIR") fallback = "/var/lib/fedgate"
    print name " = " (fallback == "NULL" ? "" : fallback)
}
' gateway/config.c >"$folder/defaults"
sed 's/ = .*//' "$folder/defaults" >"$folder/options"
# doc/configuration.md: tables of | `name` | default | …, under headings "### `section` …" or "### Outside sections"
awk '
/^#/ { section = "-" }
/^### / { section = match($0, /`[a-z_]*/) ? substr($0, RSTART + 1, RLENGTH - 1) : "" }
/^\| `[a-z0-9_]*` \|/ && section != "-" {
    split($0, part, / *\| */); gsub(/`/, "", part[2])
    print section "." part[2] " = " part[3]
}
' doc/configuration.md >"$folder/defaults.md"
same "option with default" defaults defaults.md doc/configuration.md
# man/gateway.conf.5: .It Cm name in .Ss Section name; the first item of a section explains the section itself
awk '
/^\.Sh/ { section = "" }
/^\.Ss Section/ { section = $3; first = 1; next }
/^\.It Cm / { if (!first) print section "." $3; first = 0 }
' man/gateway.conf.5 >"$folder/options.5"
same option options options.5 man/gateway.conf.5

# ---- directives

awk -F'"' '/^static ngx_command_t/ { inside = 1 } /^};/ { inside = 0 } inside && /ngx_string\(/ { print $2 }' \
    ngx_module/ngx_http_fedgate_module.c >"$folder/directives"
sed -n 's/^### `\([a-z_]*\)`$/\1/p' doc/nginx.md >"$folder/directives.md"
same directive directives directives.md doc/nginx.md
sed -n 's/^\.It Ic \([a-z_]*\).*/\1/p' man/fedgate-nginx.7 >"$folder/directives.7"
same directive directives directives.7 man/fedgate-nginx.7

# ---- variables

sed -n 's/^    { ngx_string("\(fedgate_[a-z_]*\)"), NULL,$/\1/p' ngx_module/ngx_http_fedgate_variable.c | sed 's/_$/_NAME/' >"$folder/variables"
sed -n 's/^| `\$\(fedgate_[a-zA-Z_]*\)` |.*/\1/p' doc/nginx.md >"$folder/variables.md"
same variable variables variables.md doc/nginx.md
sed -n 's/^\.It Va \$\(fedgate_[a-zA-Z_]*\)$/\1/p' man/fedgate-nginx.7 >"$folder/variables.7"
same variable variables variables.7 man/fedgate-nginx.7

# ---- pages

for page in doc/*.md; do
    grep -q "$page" Makefile.am || { echo "Makefile.am does not distribute $page"; failed=1; }
done

# ---- commands

sed -n 's/^    {{"\([a-z]*\)", \("\([a-z]*\)"\|NULL\)}.*/\1 \3/p' cli/main.c | sed 's/ $//' >"$folder/commands"
sed -n 's/^## `fedgate \([a-z ]*[a-z]\)`$/\1/p' doc/cli.md >"$folder/commands.md"
same command commands commands.md doc/cli.md
sed -n 's/^\.Ss \([a-z ]*\)$/\1/p' man/fedgate.1 man/fedgate-*.1 >"$folder/commands.1"
same command commands commands.1 "man/fedgate.1 or man/fedgate-GROUP.1"
cat man/fedgate.1 man/fedgate-*.1 | sed -n 's/^\.Cm \([a-z ]*\)$/\1/p' | grep -Fxf "$folder/commands" >"$folder/synopsis.1"
same command commands synopsis.1 "the synopsis of man/fedgate.1 or man/fedgate-GROUP.1"
for page in man/fedgate-*.1; do
    name=$(basename "$page" .1)
    grep -q "$page" Makefile.am || { echo "Makefile.am does not install $page"; failed=1; }
    grep -q "^.It Xr $name 1" man/fedgate.1 || { echo "man/fedgate.1 does not list $name(1)"; failed=1; }
done
if command -v mandoc >/dev/null; then # else groff may find more than this does
    mandoc -T lint -W warning man/*.[157] | grep -v 'mandoc.db' >"$folder/lint"
    [ ! -s "$folder/lint" ] || { cat "$folder/lint"; failed=1; }
fi

# ---- what is shipped beside the code is in the list of what is installed

for file in etc/policy/* etc/pages/*; do
    grep -q "$file" Makefile.am || { echo "Makefile.am lacks $file"; failed=1; }
done

[ "$failed" = 0 ] || exit 1
echo "what the code takes is documented"
