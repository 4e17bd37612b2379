/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/time.h"

#define LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Takes exactly count digits off the front. */
static bool take_digits(fg_str_t *s, size_t count, int *value) {
    if (s->n < count)
        return false;
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        *value = *value * 10 + (s->p[i] - '0');
    }
    s->p += count;
    s->n -= count;
    return true;
}

static bool take_char(fg_str_t *s, char c) {
    if (s->n == 0 || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days between 1970-01-01 and the date, for years from 1970 on. */
static int64_t days_of(int year, int month, int day) {
    int64_t past = year - 1;
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - 719162;
    for (int m = 1; m < month; m++)
        days += days_in_month(year, m);
    return days + day - 1;
}

static bool take_date(fg_str_t *s, int64_t *days) {
    int year, month, day;
    if (!take_digits(s, 4, &year) || !take_char(s, '-') || !take_digits(s, 2, &month) || !take_char(s, '-') ||
        !take_digits(s, 2, &day))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *days = days_of(year, month, day);
    return true;
}

static bool take_clock(fg_str_t *s, int64_t *ms) {
    int hour, minute, second;
    if (!take_digits(s, 2, &hour) || !take_char(s, ':') || !take_digits(s, 2, &minute) || !take_char(s, ':') ||
        !take_digits(s, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ms = hour * FG_HOUR + minute * FG_MINUTE + second * FG_SECOND;
    if (!take_char(s, '.'))
        return true;
    int fraction = 0, digit, count = 0;
    for (; count < 9 && take_digits(s, 1, &digit); count++)
        if (count < 3)
            fraction = fraction * 10 + digit;
    for (int i = count; i < 3; i++)
        fraction *= 10;
    *ms += fraction;
    return count > 0;
}

static bool take_zone(fg_str_t *s, int64_t *offset) {
    *offset = 0;
    if (take_char(s, 'Z'))
        return true;
    int sign = take_char(s, '-') ? -1 : take_char(s, '+') ? 1 : 0, hour, minute;
    if (sign == 0 || !take_digits(s, 2, &hour) || !take_char(s, ':') || !take_digits(s, 2, &minute))
        return false;
    if (minute > 59 || hour * 60 + minute > 14 * 60)
        return false;
    *offset = sign * (hour * FG_HOUR + minute * FG_MINUTE);
    return true;
}

bool fg_time_parse(fg_str_t text, int64_t *ms) {
    int64_t days, clock, offset;
    if (!take_date(&text, &days) || !take_char(&text, 'T') || !take_clock(&text, &clock) ||
        !take_zone(&text, &offset) || text.n > 0)
        return false;
    int64_t instant = days * FG_DAY + clock - offset;
    if (instant < 0 || instant > LAST_MS)
        return false;
    *ms = instant;
    return true;
}

/* At at, which it leaves behind the digits. */
static void put_digits(char **at, int count, int value) {
    for (int i = count; i-- > 0; value /= 10)
        (*at)[i] = (char)('0' + value % 10);
    *at += count;
}

void fg_time_format(int64_t ms, char out[FG_TIME_SIZE]) {
    ms = ms < 0 ? 0 : ms > LAST_MS ? LAST_MS : ms;
    int64_t days = ms / FG_DAY;
    int year = 1970 + (int)(days / 366), month = 1; /* at or before the right year, then stepped up */
    while (days_of(year + 1, 1, 1) <= days)
        year++;
    int day = (int)(days - days_of(year, 1, 1)) + 1;
    while (day > days_in_month(year, month))
        day -= days_in_month(year, month++);
    int rest = (int)(ms % FG_DAY);
    const struct {
        int count, value;
        char end;
    } fields[] = {
        {4, year, '-'},
        {2, month, '-'},
        {2, day, 'T'},
        {2, rest / (int)FG_HOUR, ':'},
        {2, rest / (int)FG_MINUTE % 60, ':'},
        {2, rest / (int)FG_SECOND % 60, '.'},
        {3, rest % 1000, 'Z'},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        put_digits(&out, fields[i].count, fields[i].value);
        *out++ = fields[i].end;
    }
    *out = '\0';
}
