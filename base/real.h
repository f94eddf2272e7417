/* SPDX-License-Identifier: BSD-2-Clause */
/** The number that layers compute with: float in the product, double in the gradient-test build
 * (OTO_REAL_DOUBLE). */
#ifndef OTO_BASE_REAL_H
#define OTO_BASE_REAL_H

#include <math.h>

#ifdef OTO_REAL_DOUBLE
typedef double oto_real;
#define OTO_EXP exp
#define OTO_LOG log
#define OTO_TANH tanh
#define OTO_SQRT sqrt
#define OTO_FABS fabs
#define OTO_RINT rint
#else
typedef float oto_real;
#define OTO_EXP expf
#define OTO_LOG logf
#define OTO_TANH tanhf
#define OTO_SQRT sqrtf
#define OTO_FABS fabsf
#define OTO_RINT rintf
#endif

#endif
