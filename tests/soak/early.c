/* For symbols.c in a core under AddressSanitizer, which looks its functions up by our dlsym before
 * it has any of its own. */
int early_compare(const char *one, const char *other)
{
    while (*one && *one == *other) one++, other++;
    return (unsigned char)*one - (unsigned char)*other;
}
