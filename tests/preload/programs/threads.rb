# Ruby has a timer that interrupts the thread that runs, to let others run.
results = Queue.new
threads = 4.times.map do |i|
  Thread.new do
    n = 0
    500_000.times { n += 1 }
    results << [i, n]
  end
end
threads.each(&:join)
p 4.times.map { results.pop }.sort

reader, writer = IO.pipe
child = fork do
  Thread.new { 100_000.times {} }.join
  writer.puts 'a thread in a child'
end
writer.close
puts reader.read
Process.wait(child)

killed = Thread.new { loop {} }
Thread.pass
killed.kill
killed.join
puts 'one that never ends is ended'
puts IO.popen(%w[timeout 20 echo executed], &:read)
