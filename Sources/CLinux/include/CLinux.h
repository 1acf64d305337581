/* What Swift's Glibc module does not show: the _GNU_SOURCE calls and the function-like macros.
 * Declarations and one-line wrappers only; no logic lives here. */
#ifndef CLINUX_H
#define CLINUX_H
#endif
