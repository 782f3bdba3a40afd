# debug.sh LIBRARY PROGRAM: the program with the library preloaded, under gdb: stops in a callback, looks at the threads, and
# goes on to the end. Status 4 where gdb may not trace.
library=$1
program=$2
debug() {
    gdb -nx -batch -ex 'set startup-with-shell off' -ex 'handle all nostop noprint pass' "$@" 2>&1
}
case $(debug -ex run --args true) in
*"exited normally"*) ;;
*)
    echo "unsupported: gdb cannot run a program here"
    exit 4
    ;;
esac
debug -ex "set environment LD_PRELOAD $library" -ex 'break call' -ex run -ex 'info threads' -ex delete -ex continue \
    --args "$program"
