// What a kernel was compiled from, for `gbscape.native.load`; the compiler is told to include this before the kernel.
#pragma once

extern "C" __attribute__((visibility("default"))) const char *gbscape_sources() { return GBSCAPE_SOURCES; }
