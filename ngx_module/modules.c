/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What nginx looks for in a dynamic module.  Not used when nginx's own build makes the module: that writes its own. */
#include "ngx_module/ngx_http_fedgate.h"

#define EXPORTED  __attribute__((visibility("default")))

EXPORTED ngx_module_t *ngx_modules[] = { &ngx_http_fedgate_module, NULL };
EXPORTED char *ngx_module_names[] = { (char *) "ngx_http_fedgate_module", NULL };
extern char *ngx_module_order[];
/* as of a filter: see ngx_http_fedgate_answer.c */
EXPORTED char *ngx_module_order[] = { (char *) "ngx_http_fedgate_module", (char *) "ngx_http_copy_filter_module", NULL };
