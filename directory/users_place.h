/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_DIRECTORY_USERS_PLACE_H
#define FG_DIRECTORY_USERS_PLACE_H

#include "core/err.h"
#include "core/str.h"

/* Where in the text of a users file, which is JSON of the right outer form, the person of that number stands, or
 * (member not NULL) the value of that member: jansson keeps no places.  Lines and columns count from 1, columns in
 * bytes. */
void fg_users_place(fg_str_t text, size_t number, const char *member, unsigned *line, unsigned *column);

#endif
