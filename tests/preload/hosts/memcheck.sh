# memcheck.sh LIBRARY LEAKS PROGRAM [ARGUMENT...]: the program with the library preloaded, under valgrind's memcheck. An error,
# or lost memory of the kinds that LEAKS says, is status 9; 4 where valgrind does not run.
library=$1
leaks=$2
shift 2
valgrind -q true >/dev/null 2>&1 || {
    echo "unsupported: valgrind does not run here"
    exit 4
}
export LD_PRELOAD="$library"
exec valgrind -q --error-exitcode=9 --leak-check=full "--show-leak-kinds=$leaks" "--errors-for-leak-kinds=$leaks" "$@"
