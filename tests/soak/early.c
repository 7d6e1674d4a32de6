/* For symbols.c in a core under AddressSanitizer, which looks up functions through our dlsym
 * before symbols.c has found any itself. */
int early_compare(const char *one, const char *other)
{
    while (*one && *one == *other) one++, other++;
    return (unsigned char)*one - (unsigned char)*other;
}
