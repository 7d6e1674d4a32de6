/* A library that another tool preloads. */
int function_shield_test_preload = 1;
