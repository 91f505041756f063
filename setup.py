"""The one thing that pyproject.toml cannot say: the compiled row kernel, which a build may do without.

Without a C++17 compiler, or with PGWIRE_PURE=1 in the environment, the package is built without it, and
`pgwire.rows` encodes through pyarrow alone.
"""

import os

from setuptools import Extension, setup


def kernel() -> list[Extension]:
    """Give the extension to build, or none."""
    if os.environ.get("PGWIRE_PURE", "") not in {"", "0"}:
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:  # a build requirement, but a build without isolation may lack it
        return []
    source = Extension(
        "pgwire.rows._kernel",
        ["pgwire/rows/_kernel.pyx"],
        extra_compile_args=["-std=c++17", "-O3"],
        # Left to itself the compiler calls the writer of one value, which has two callers: a fifth slower.
        define_macros=[("CYTHON_INLINE", "inline __attribute__((always_inline))")],
        language="c++",
    )
    directives = {"language_level": 3, "boundscheck": False, "wraparound": False, "cdivision": True}
    extensions: list[Extension] = cythonize(
        [source], build_dir="build/cython", compiler_directives=directives
    )
    for extension in extensions:
        extension.optional = True  # said here because cythonize forgets it
    return extensions


setup(ext_modules=kernel())
