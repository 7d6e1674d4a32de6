/* Python with ctypes built in: see test_builtin.py. */
extern int Py_BytesMain(int, char **);
extern int PyImport_AppendInittab(const char *, void *(*)(void));
extern void *PyInit__ctypes(void);

__attribute__((constructor)) static void build_in(void)
{
    PyImport_AppendInittab("_ctypes", PyInit__ctypes);
}

int main(int argc, char **argv) { return Py_BytesMain(argc, argv); }
