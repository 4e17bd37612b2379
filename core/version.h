/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_CORE_VERSION_H
#define FG_CORE_VERSION_H
#define FG_VERSION "0.1.0" /* read by configure.ac too */
#endif
