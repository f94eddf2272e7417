/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Numbers of the polynomial that the SIMD kernels' logistic function, tanh and exp are made of.
 *
 *     2^r - 1 ~ r (C1 + r (C2 + r (C3 + r (C4 + r (C5 + r C6))))),  |r| <= 1/2
 *
 * Minimax in the relative error (Lawson's weights, coefficients rounded to float one after the
 * other, the rest fitted again): 1.3e-8 before rounding of the sums. The relative form keeps tanh
 * exact to the last bits near zero.
 *
 * With n = round(t), r = t - n:  2^t = 2^n (1 + q),  2^t - 1 = 2^n q + (2^n - 1).
 *     sigma(x) = 1 / (1 + 2^t),  t = -x log2(e), |t| <= 125 so that the quotient is a normal number
 *     tanh(x) = (2^t - 1) / (2^t - 1 + 2),  t = 2 x log2(e), |t| <= 26 (tanh(9.01) rounds to 1)
 * t has one rounding, a relative error of 2^-24 in x, which moves sigma by at most 1.4e-8 and tanh
 * by 2.7e-8.
 *
 * Largest errors against double, inputs over +-120 and both infinities: sigma 8.9e-8, tanh 1.5e-7,
 * the cell c (|c| < 2) 2.7e-7, h 2.3e-7; measured by tests/checkasm/test_checkasm.c --filter=cell,
 * which fails above 5e-7.
 */
#ifndef OTO_ACOUSTIC_X86_EXP2_H
#define OTO_ACOUSTIC_X86_EXP2_H

#define EXP2_C1 0x1.62e430p-1f
#define EXP2_C2 0x1.ebfbdep-3f
#define EXP2_C3 0x1.c6afa4p-5f
#define EXP2_C4 0x1.3b2c38p-7f
#define EXP2_C5 0x1.5ef140p-10f
#define EXP2_C6 0x1.429c1ep-13f
#define LOG2_E 0x1.715476p+0f
#define SIGMOID_LIMIT 125.0f
#define TANH_LIMIT 26.0f
/* The largest float below 1: a gate is never fully open, whatever rounding says. */
#define BELOW_ONE 0x1.fffffep-1f

#endif
