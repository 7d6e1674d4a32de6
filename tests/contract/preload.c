/* A library that somebody else preloads. */
int function_shield_test_preload = 1;
