# profiled.sh PROFILER PROGRAM: the program with the profiler loaded into it, behind what is preloaded already.
CPUPROFILE=profile CPUPROFILE_PER_THREAD_TIMERS=1 LD_PRELOAD="$LD_PRELOAD:$1" exec "$2"
