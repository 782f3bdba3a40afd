# What shells do with programs that have timers: in a pipe, in the background, in a subshell, killed, one inside the other.
timeout 20 sh -c 'echo one; timeout 10 echo two' | timeout 20 cat
timeout 0.2 sleep 20
echo "too late: $?"
timeout -s INT 0.2 timeout 20 sleep 20
echo "both: $?"
timeout -k 0.2 0.2 sh -c 'trap "" TERM; while :; do sleep 1; done'
echo "killed: $?"
timeout 0.2 sleep 20 &
wait $!
echo "in the background: $?"
flock -w 10 lock sh -c 'flock -w 0.2 lock true; echo "held: $?"'
(
    exec 9>other
    flock -w 10 9
    flock -w 0.2 other true
    echo "held by a number: $?"
)
for i in 1 2 3 4 5 6 7 8 9 10; do
    timeout 20 true || echo "failed: $?"
done
exec timeout 20 sh -c 'echo last; exit 7'
