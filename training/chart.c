/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/chart.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 560,
    HEIGHT = 240,
    LEFT = 52,
    RIGHT = 12,
    TOP = 30,
    BOTTOM = 34,
    PARTS = 400,
    TICKS = 5
};

/* The part of the plane that is shown. */
struct range {
    double x0, x1, y0, y1;
};

static void print(struct oto_writer *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void print(struct oto_writer *w, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    oto_write_bytes(w, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

void oto_chart_write_text(struct oto_writer *w, const char *text)
{
    for (; *text; text++) {
        const char *entity = *text == '&'   ? "&amp;"
                             : *text == '<' ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '"' ? "&quot;"
                                            : NULL;
        if (entity)
            oto_write_bytes(w, entity, strlen(entity));
        else
            oto_write_u8(w, (uint8_t)*text);
    }
}

static int find_range(struct range *r, const struct oto_chart *c)
{
    *r = (struct range){HUGE_VAL, -HUGE_VAL, HUGE_VAL, -HUGE_VAL};
    for (int s = 0; s < c->n_series; s++) {
        for (size_t i = 0; i < c->series[s].n; i++) {
            double x = c->series[s].x[i], y = c->y_scale * c->series[s].y[i];
            if (!isfinite(x) || !isfinite(y))
                continue;
            r->x0 = fmin(r->x0, x);
            r->x1 = fmax(r->x1, x);
            r->y0 = fmin(r->y0, y);
            r->y1 = fmax(r->y1, y);
        }
    }
    if (!(r->x0 <= r->x1))
        return 0;
    if (c->from_zero)
        r->y0 = fmin(r->y0, 0);
    if (r->x0 == r->x1)
        r->x1 = r->x0 + 1;
    if (r->y0 == r->y1)
        r->y1 = r->y0 + (r->y0 != 0 ? fabs(r->y0) : 1);
    return 1;
}

/* The distance of ticks: 1, 2 or 5 times a power of ten, about TICKS of them. */
static double tick_step(double low, double high)
{
    double rough = (high - low) / TICKS, power = pow(10, floor(log10(rough)));
    double digit = rough / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

static double to_x(const struct range *r, double x)
{
    return LEFT + (x - r->x0) / (r->x1 - r->x0) * (WIDTH - LEFT - RIGHT);
}

static double to_y(const struct range *r, double y)
{
    return HEIGHT - BOTTOM - (y - r->y0) / (r->y1 - r->y0) * (HEIGHT - TOP - BOTTOM);
}

static void draw_axes(struct oto_writer *w, const struct range *r, const char *x_label)
{
    double step = tick_step(r->y0, r->y1), first = ceil(r->y0 / step);
    int n = (int)floor(r->y1 / step - first + 1e-6);
    for (int i = 0; i <= n; i++) {
        double y = (first + i) * step;
        print(w, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
              WIDTH - RIGHT, to_y(r, y), to_y(r, y));
        print(w, "<text class=\"tick\" text-anchor=\"end\" x=\"%d\" y=\"%.1f\">%g</text>", LEFT - 6,
              to_y(r, y) + 4, fabs(y) < step * 1e-6 ? 0 : y);
    }
    step = fmax(1, tick_step(r->x0, r->x1)); /* steps and epochs are whole */
    first = ceil(r->x0 / step);
    n = (int)floor(r->x1 / step - first + 1e-6);
    for (int i = 0; i <= n; i++) {
        double x = (first + i) * step;
        print(w, "<text class=\"tick\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">%g</text>",
              to_x(r, x), HEIGHT - BOTTOM + 15, fabs(x) < step * 1e-6 ? 0 : x);
    }
    print(w, "<text class=\"tick\" text-anchor=\"end\" x=\"%d\" y=\"%d\">%s</text>\n",
          WIDTH - RIGHT, HEIGHT - 4, x_label);
}

/* The mean of points [begin, end); 0 when one of them is not finite. */
static int mean_point(const struct oto_chart *c, const struct oto_chart_series *s, size_t begin,
                      size_t end, double *x, double *y)
{
    *x = *y = 0;
    for (size_t i = begin; i < end; i++) {
        *x += s->x[i] / (double)(end - begin);
        *y += c->y_scale * s->y[i] / (double)(end - begin);
    }
    return isfinite(*x) && isfinite(*y);
}

static void draw_series(struct oto_writer *w, const struct range *r, const struct oto_chart *c,
                        int k)
{
    const struct oto_chart_series *s = &c->series[k];
    size_t n_parts = s->n < PARTS ? s->n : PARTS;
    const char *separator = "";
    print(w, "<polyline class=\"c%d\" points=\"", k);
    for (size_t p = 0; p < n_parts; p++) {
        double x, y;
        if (!mean_point(c, s, p * s->n / n_parts, (p + 1) * s->n / n_parts, &x, &y))
            continue;
        print(w, "%s%.1f,%.1f", separator, to_x(r, x), to_y(r, y));
        separator = " ";
    }
    print(w, "\"/>\n");
    for (size_t i = 0; s->n <= 60 && i < s->n; i++)
        if (isfinite(s->y[i]))
            print(w, "<circle class=\"c%d\" r=\"2.5\" cx=\"%.1f\" cy=\"%.1f\"/>", k,
                  to_x(r, s->x[i]), to_y(r, c->y_scale * s->y[i]));
}

static void draw_legend(struct oto_writer *w, const struct oto_chart *c)
{
    int x = WIDTH - RIGHT;
    for (int k = c->n_series - 1; k >= 0 && c->n_series > 1; k--) {
        print(w, "<text class=\"legend c%d\" text-anchor=\"end\" x=\"%d\" y=\"16\">", k, x);
        oto_chart_write_text(w, c->series[k].name);
        print(w, "</text>");
        x -= 8 * (int)strlen(c->series[k].name) + 16;
    }
}

void oto_chart_write(struct oto_writer *w, const struct oto_chart *c)
{
    struct range r;
    if (!find_range(&r, c))
        return;
    print(w, "<svg viewBox=\"0 0 %d %d\" role=\"img\"><text class=\"title\" x=\"%d\" y=\"16\">",
          WIDTH, HEIGHT, LEFT);
    oto_chart_write_text(w, c->title);
    print(w, "</text>\n");
    draw_axes(w, &r, c->x_label);
    for (int k = 0; k < c->n_series; k++)
        draw_series(w, &r, c, k);
    draw_legend(w, c);
    print(w, "</svg>\n");
}
