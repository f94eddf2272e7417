/* SPDX-License-Identifier: BSD-2-Clause */
/** Line charts as SVG. */
#ifndef OTO_TRAINING_CHART_H
#define OTO_TRAINING_CHART_H

#include <stddef.h>

#include "base/bytes.h"

struct oto_chart_series {
    const char *name; /* in the legend */
    const double *x, *y;
    size_t n; /* points; those that are not finite are left out, and the line with them */
};

struct oto_chart {
    const char *title, *x_label;
    const struct oto_chart_series *series; /* at most 4 */
    int n_series;
    double y_scale; /* drawn as y_scale * y, for percent */
    int from_zero;  /* the vertical axis begins at 0 */
};

/**
 * Writes one <svg> element, its colours by the classes c0..c3, axis and grid. Long series are
 * thinned to the mean of each of 400 parts, drawn over the range of their values. Nothing where no
 * point is finite.
 */
void oto_chart_write(struct oto_writer *w, const struct oto_chart *chart);

/** Text into XML, with & < > " replaced. */
void oto_chart_write_text(struct oto_writer *w, const char *text);

#endif
