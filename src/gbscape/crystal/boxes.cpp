extern "C" __attribute__((visibility("default"))) int gbscape_probe() { return 1; }
