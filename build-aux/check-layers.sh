#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves the layering: each room includes only rooms below it, and a foreign library only where its place is.
# usage: check-layers.sh [SOURCE-DIRECTORY]
cd "${1:-${FEDGATE_SRCDIR:-.}}" || exit 2
find core token directory policy hub sts bridges gateway ngx_module cli -name '*.[ch]' 2>/dev/null | sort | xargs awk '
BEGIN {
    # room: the rooms it may include besides itself
    below["core"] = " "
    below["token"] = " core "
    below["directory"] = below["policy"] = " core token "
    below["hub"] = " core token directory policy "
    below["sts"] = below["bridges/saml"] = below["bridges/openid"] = " core token directory policy hub "
    below["gateway"] = below["sts"] " sts bridges/saml bridges/openid "
    below["ngx_module"] = below["cli"] = below["gateway"] " gateway "
    # foreign header: the only rooms that may include it
    only["^(lasso|glib)"] = " bridges/saml "
    only["^ngx_|^nginx"] = " ngx_module "
    only["^(ldap|openldap|lber|gssapi|krb5)"] = " directory "
    only["^crypt\\.h"] = " directory "
    only["^xmlsec/"] = " " # in a test, as a second judge
    only["^confuse\\.h"] = " gateway "
    only["^hiredis"] = " hub "
    only["^pcre2"] = " policy "
    only["^cjose"] = " token bridges/openid "
    http_only = "^curl/"
}
function room_of(path) {
    if (path ~ /^bridges\/[^\/]+\//) { split(path, part, "/"); return part[1] "/" part[2] }
    split(path, part, "/"); return part[1]
}
function wrong(why) { printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0; failed = 1 }
/^[ \t]*#[ \t]*include/ {
    room = room_of(FILENAME)
    name = $0; sub(/^[^<"]*[<"]/, "", name); sub(/[>"].*/, "", name)
    if ($0 ~ /"/ && name ~ /\//) {
        target = room_of(name)
        if (!(target in below)) wrong("no such room")
        else if (target != room && index(below[room], " " target " ") == 0) wrong("includes upwards or sideways")
    }
    for (pattern in only)
        if (name ~ pattern && index(only[pattern], " " room " ") == 0) wrong("foreign library out of its place")
    if (name ~ http_only && FILENAME !~ /^core\/http/) wrong("foreign library out of its place")
}
END { exit failed }
' || exit 1
echo "layering holds"
