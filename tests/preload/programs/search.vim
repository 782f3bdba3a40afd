" A search that would take years: vim has a timer that ends it, by a function in a thread.
call setline(1, repeat('a', 200) .. 'b')
call search('\%#=1\v^(a|aa)*$', '', 0, 200)
call writefile(['it ends'], '/dev/stdout')
qall!
